"""Accounts that act after their owner has left."""
