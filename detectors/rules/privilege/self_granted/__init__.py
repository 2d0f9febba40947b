"""Rights that somebody gave to themselves."""
