"""From foreign bytes to valid events."""
