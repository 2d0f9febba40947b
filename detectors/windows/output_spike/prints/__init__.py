"""An unusual number of residents printed or copied from the screen in a day."""
