"""Look-ups of a day that nothing accounts for, more than is usual."""
