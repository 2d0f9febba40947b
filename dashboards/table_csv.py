"""A figure's table twin as a CSV file that opens well in a Japanese office.

Spreadsheet programs run a cell that begins like a formula, and logs carry what an attacker typed: such a cell
is preceded by an apostrophe. UTF-8 carries a byte order mark, without which Excel takes it for CP932.
"""

import csv
from io import StringIO

from dashboards.model import Figure, Language, Texts
from dashboards.show import spelled

__all__ = ["figure_csv"]

_FORMULA_STARTS = ("=", "+", "-", "@")


def _cell(cell: Texts | int, language: Language) -> str | int:
    if isinstance(cell, int):
        return cell
    text = spelled(cell.in_(language))
    return f"'{text}" if text.lstrip().startswith(_FORMULA_STARTS) else text


def figure_csv(figure: Figure, language: Language) -> bytes:
    """The table twin of a figure as CSV (RFC 4180) in UTF-8 with a byte order mark."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow([_cell(column, language) for column in figure.columns])
    writer.writerows([_cell(cell, language) for cell in row] for row in figure.rows)
    return out.getvalue().encode("utf-8-sig", errors="replace")
