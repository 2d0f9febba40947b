"""From windows of events to findings."""
