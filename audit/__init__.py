"""The kernel: what happened, who may do what, and the proof."""
