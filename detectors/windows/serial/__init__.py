"""Look-ups that nothing accounts for, a few every day."""
