"""Sources that fall silent."""
