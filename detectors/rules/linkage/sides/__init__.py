"""Transfers of which only one side is on record."""
