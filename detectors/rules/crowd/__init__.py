"""Many people looking at one resident, and one person who keeps coming back to a resident."""
