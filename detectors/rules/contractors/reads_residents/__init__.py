"""Maintenance contractors who read residents' records."""
