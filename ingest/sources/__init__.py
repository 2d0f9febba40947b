"""The catalogue of systems whose logs must arrive: profiles are data (`catalogue/*.toml`), not code."""
