"""More taken out than usual."""
