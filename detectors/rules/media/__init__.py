"""Data on media that can be carried away."""
