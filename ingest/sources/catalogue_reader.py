"""The catalogue: the profiles shipped, and the town's own in `sources/*.toml` of its data directory.

Without a city it is every source there is, each under the strongest policy. With one it is the systems that the
city's document names, each as that city has it; what the document does not say is our default, and is marked so
(`stated = false`). A source of the town's own belongs to it whatever the city.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from audit.texts import Texts
from ingest.sources.profile import Profile, ProfileError, parse_profile

__all__ = ["cities", "default_profile", "load_catalogue"]


@cache
def cities() -> Mapping[str, Texts]:
    """The cities that have a preset, by id, with their names; in the order of their documents."""
    text = resources.files("ingest.sources").joinpath("cities.toml").read_text(encoding="utf-8")
    return MappingProxyType(
        {city: Texts(said["name_ja"], said["name_en"]) for city, said in tomllib.loads(text).items()}
    )


def load_catalogue(own: Path | None = None, city: str | None = None) -> Mapping[str, Profile]:
    """Every profile by source id; one of the town's own replaces the shipped one of the same id.

    Args:
        own: the folder of the town's own profiles; it need not exist.
        city: one of `cities`, for only the sources that it has, as it has them.

    Raises:
        ProfileError: the city is unknown, or naming the first profile that cannot be used and everything wrong with it.
    """
    if city is not None and city not in cities():
        known = ", ".join(cities())
        raise ProfileError(f"unknown city {city!r}; known are {known} / 未知の市区です。選べるのは {known} です")
    found = {profile.id: profile for profile in _shipped() if city is None or city in profile.cities}
    if own is not None and own.is_dir():
        for path in sorted(own.glob("*.toml")):
            profile = parse_profile(path.read_text(encoding="utf-8"), str(path))
            found[profile.id] = profile
    return {source: found[source].in_city(city) if city else found[source] for source in sorted(found)}


def default_profile(source: str) -> Profile:
    """How a source outside the catalogue is taken: JSON Lines in the contract's form, seven years."""
    return Profile(id=source, name_ja=source, name_en=source)


@cache
def _shipped() -> tuple[Profile, ...]:
    """The profiles that come with the product: they do not change while a process runs."""
    folder = resources.files("ingest.sources.catalogue")
    files = sorted((item for item in folder.iterdir() if item.name.endswith(".toml")), key=lambda item: item.name)
    return tuple(parse_profile(item.read_text(encoding="utf-8"), item.name) for item in files)
