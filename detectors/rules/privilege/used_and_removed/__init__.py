"""Rights that were given, used and taken away within a short time."""
