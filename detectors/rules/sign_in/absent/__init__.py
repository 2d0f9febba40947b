"""Acts while the owner is on leave or away for training."""
