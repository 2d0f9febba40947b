"""Acts entered under an earlier time."""
