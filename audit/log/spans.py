"""Which ids a source has used, roughly: ranges that hold them all. Most batches meet none, and are news unasked."""

from bisect import bisect_left, bisect_right

__all__ = ["IdRanges"]

_MOST = 512


class IdRanges:
    """Disjoint ranges of ids in the order of their bytes, which is that of their code points."""

    def __init__(self) -> None:
        self._firsts: list[str] = []
        self._lasts: list[str] = []

    def meet(self, first: str, last: str) -> bool:
        """Whether an id between these, ends included, may have been used."""
        place = bisect_left(self._lasts, first)
        return place < len(self._firsts) and self._firsts[place] <= last

    def add(self, first: str, last: str) -> None:
        """Ids between these, ends included, are used."""
        begin, end = bisect_left(self._lasts, first), bisect_right(self._firsts, last)
        if begin < end:
            first, last = min(first, self._firsts[begin]), max(last, self._lasts[end - 1])
        self._firsts[begin:end], self._lasts[begin:end] = [first], [last]
        if len(self._firsts) > _MOST:  # every two neighbours become one: too wide costs a question, never a mistake
            self._firsts, self._lasts = self._firsts[::2], [*self._lasts[1:-1:2], self._lasts[-1]]
