"""People who go on working in the unit that they have left."""
