"""Look-ups without a case of residents who are related to whoever looks."""
