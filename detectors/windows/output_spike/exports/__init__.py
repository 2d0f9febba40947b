"""An unusual number of records taken out in a day."""
