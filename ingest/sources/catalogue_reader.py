"""The catalogue: the profiles shipped, and the town's own in `sources/*.toml` of its data directory."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from ingest.sources.profile import Profile, parse_profile

__all__ = ["default_profile", "load_catalogue"]


def load_catalogue(own: Path | None = None) -> Mapping[str, Profile]:
    """Every profile by source id; one of the town's own replaces the shipped one of the same id.

    Raises:
        ProfileError: naming the first profile that cannot be used, and everything wrong with it.
    """
    shipped = resources.files("ingest.sources.catalogue")
    texts = [(item.name, item.read_text(encoding="utf-8")) for item in shipped.iterdir() if item.name.endswith(".toml")]
    if own is not None and own.is_dir():
        texts += [(str(path), path.read_text(encoding="utf-8")) for path in sorted(own.glob("*.toml"))]
    found: dict[str, Profile] = {}
    for origin, text in texts:
        profile = parse_profile(text, origin)
        found[profile.id] = profile
    return dict(sorted(found.items()))


def default_profile(source: str) -> Profile:
    """How a source outside the catalogue is taken: JSON Lines in the contract's form, seven years."""
    return Profile(id=source, name_ja=source, name_en=source)
