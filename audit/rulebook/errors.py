"""What the rule book refuses."""

from collections.abc import Mapping

from audit.texts import Texts

__all__ = ["RuleRefusedError"]

_WORDS: Mapping[str, Texts] = {
    "same_person": Texts("取り込む人と確認する人は別の人です", "one person imports, another confirms"),
    "not_in_office": Texts("在籍している職員ではありません", "is no member of staff in office"),
    "unchanged": Texts("同じ内容の規則が既に有効です", "a rule of the same content is in force already"),
    "unknown": Texts("その規則は有効ではありません", "no such rule is in force"),
    "overtaken": Texts("同時に別の変更がありました。もう一度確かめてください", "somebody else was faster: look again"),
}


class RuleRefusedError(Exception):
    """A change of the rule book that must not be.

    Attributes:
        reason: a word of ours.
        about: whom or what it is about.
    """

    def __init__(self, reason: str, about: str) -> None:
        super().__init__(f"{about}: {_WORDS[reason].en}")
        self.reason = reason
        self.about = about

    def text(self, language: str) -> str:
        """What to tell a person, in `ja` or `en`."""
        return f"{self.about}: {_WORDS[self.reason].in_(language)}"
