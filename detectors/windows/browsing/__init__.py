"""Searches by name that lead to nothing."""
