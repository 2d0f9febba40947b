"""Look-ups in a system or an affair that is not the unit's."""
