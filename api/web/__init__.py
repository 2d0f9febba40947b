"""HTTP: pages and JSON, behind sign-in from the first day."""
