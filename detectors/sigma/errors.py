"""Why a Sigma rule or its stories cannot be used."""

from collections.abc import Iterable

from audit.texts import Texts

__all__ = ["SigmaRefusedError"]


class SigmaRefusedError(Exception):
    """A rule, or a file of stories, that is refused.

    Attributes:
        faults: every fault that was found, not only the first.
    """

    def __init__(self, faults: Iterable[Texts]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(fault.en for fault in self.faults))

    def text(self, language: str) -> str:
        """Every fault in `ja` or `en`."""
        return "\n".join(fault.in_(language) for fault in self.faults)
