"""Numbers in columns."""

from collections.abc import Sequence
from statistics import median

__all__ = ["spread", "table"]


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print one table: the first column to the left, numbers to the right."""
    cells = [[f"{cell:,.2f}" if isinstance(cell, float) else f"{cell:,}" if isinstance(cell, int) else str(cell)
              for cell in row] for row in rows]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    print(f"\n## {title}\n")
    for row in (heads, ["-" * width for width in widths], *cells):
        rest = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        print("| " + " | ".join([row[0].ljust(widths[0]), *rest]) + " |", flush=True)


def spread(seconds: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile, in milliseconds."""
    ordered = sorted(seconds)
    return median(ordered) * 1000, ordered[round(0.95 * (len(ordered) - 1))] * 1000
