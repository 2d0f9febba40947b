"""Look-ups without a case of residents whom the town marks."""
