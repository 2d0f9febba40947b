"""What the directory refuses, and the words for it.

```
AccessError
├── PeopleRefusedError      a change that is most likely an accident, or cannot be
├── TakenError              a staff id or external id that belongs to somebody already
└── UnknownPersonError      nobody has this staff id
```

Faults of a file, each with its place, are a `FeedError` of `audit.context`.
"""

from typing import ClassVar

from audit.access.errors import AccessError, Words

__all__ = ["PeopleRefusedError", "TakenError", "UnknownPersonError"]


class PeopleRefusedError(AccessError):
    """A change to the directory was refused; nothing was changed."""

    words: ClassVar[Words] = {
        "many_leave": (
            "在籍者の多くがこのファイルで終了します。欠けや列ずれがなく正しいものなら --confirm で取り込みます。",
            "This file ends many of the people in office. Is it cut? If it is right, import it with --confirm.",
        ),
    }


class TakenError(AccessError):
    """An id that must belong to one person only."""

    words: ClassVar[Words] = {
        "staff_id": ("この職員番号は既に使われています。", "This staff id is taken."),
        "external_id": ("この externalId は既に使われています。", "This externalId is taken."),
    }


class UnknownPersonError(AccessError):
    """Nobody has this staff id."""

    otherwise = ("その職員は登録されていません。", "There is no such member of staff.")
