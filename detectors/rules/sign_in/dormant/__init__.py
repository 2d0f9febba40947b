"""Accounts that wake after long silence."""
