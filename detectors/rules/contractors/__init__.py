"""Contractors and what they were let in for."""
