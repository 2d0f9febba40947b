"""What a person reads exists in Japanese and English, always both."""

from typing import NamedTuple

__all__ = ["Texts"]


class Texts(NamedTuple):
    """One text in both languages."""

    ja: str
    en: str

    @classmethod
    def same(cls, text: str) -> "Texts":
        """A name that has no translation, such as an identifier."""
        return cls(text, text)

    def in_(self, language: str) -> str:
        """The text in `ja` or `en`; Japanese first."""
        return self.en if language == "en" else self.ja
