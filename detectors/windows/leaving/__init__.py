"""More taken out as the last day comes near."""
