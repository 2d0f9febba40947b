"""Where the facts of a decision come from, read afresh for every question: what was revoked is gone at once."""

from typing import Protocol

from audit.access.decisions.model import Facts, Question

__all__ = ["FactsReader"]


class FactsReader(Protocol):
    """Reads what one question is judged by."""

    def read(self, question: Question) -> Facts:
        """The facts as they stand now.

        Raises:
            StoreError: they cannot be read; nothing may then be allowed.
        """
