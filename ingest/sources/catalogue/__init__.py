"""The profiles themselves, one TOML file a source."""
