"""One takes it out, another carries it away."""
