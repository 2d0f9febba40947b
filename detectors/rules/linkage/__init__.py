"""Data that goes to other systems and bodies, and comes from them."""
