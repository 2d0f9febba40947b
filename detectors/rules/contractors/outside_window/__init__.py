"""Contractors at work outside what was approved."""
