"""Logs cleared, and less recorded than before."""
