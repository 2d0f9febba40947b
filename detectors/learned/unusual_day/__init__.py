"""A day unlike the person's own and unlike their colleagues'."""
