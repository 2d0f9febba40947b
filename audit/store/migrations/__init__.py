"""Numbered, forward-only changes of the event store's tables; each file is applied once and never edited after."""
