"""Rights given without an approval, singly or in bulk."""
