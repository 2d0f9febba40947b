"""What keeps a record from being answered by itself, and who takes it away."""
