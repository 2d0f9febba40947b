"""One place that tries many accounts."""
