"""What changes the chart of accounts, and which lines accounts can be kept under."""

from __future__ import annotations

from collections.abc import Iterable

from book.state import Book, ChartEntry
from schemas.books import ChartLine
from schemas.documents.charts import NORMAL_SIDE, Chart
from schemas.fields import AccountKind


def first_chart(lines: Iterable[ChartLine]) -> dict[str, ChartEntry]:
    """The chart that a book is opened with: lines without a tree."""
    return {line.ledger: ChartEntry(line.name, line.kind, "", NORMAL_SIDE[line.kind]) for line in lines}


def chart_in_force(book: Book, document: str, chart: Chart) -> None:
    """The book's chart is this one; every line with accounts is in it."""
    book.chart = {line.code: ChartEntry(line.name, line.kind, line.parent, line.side) for line in chart.lines}


def takes_accounts(book: Book, ledger: str, kind: AccountKind) -> bool:
    """Whether accounts of the kind can be opened under the line, now and by charts that are to come."""
    line = book.chart.get(ledger)
    if line is None or line.kind != kind:
        return False
    return all(
        any(one["code"] == ledger and one["kind"] == kind for one in version.body["lines"])
        for name, shelf in book.documents.items()
        if name.startswith("chart/")
        for version in shelf.pending.values()
    )
