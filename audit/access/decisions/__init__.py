"""May this person do this, now: one function decides (DESIGN 5, Access)."""
