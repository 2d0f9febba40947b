"""Signing in and being signed in as rules have it."""
