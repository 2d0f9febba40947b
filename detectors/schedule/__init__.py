"""When a window is judged: what makes it due, what it depends on, and whether detectors still see."""
