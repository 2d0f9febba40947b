"""Numbers that are missing from a log."""
