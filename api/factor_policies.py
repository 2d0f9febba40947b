"""What each system asks its users for: the town's word (the feed `policies`), else the system's profile."""

from collections.abc import Callable, Mapping
from datetime import datetime

from audit.access.strength import FactorPolicy
from audit.context import ContextService
from ingest.sources.catalogue_reader import default_profile, load_catalogue
from ingest.sources.profile import Profile

__all__ = ["factor_policies"]


def factor_policies(
    context: ContextService, catalogue: Mapping[str, Profile]
) -> Callable[[str, datetime], FactorPolicy]:
    """Who answers what a system asks for at a moment.

    Args:
        context: holds the town's own policies.
        catalogue: the town's systems.
    """

    def policy_of(source: str, at: datetime) -> FactorPolicy:
        profile = catalogue.get(source) or load_catalogue().get(source) or default_profile(source)
        return FactorPolicy.parse(context.factor_policy(source, at) or profile.authentication)

    return policy_of
