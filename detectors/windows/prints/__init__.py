"""Residents gone through by number."""
