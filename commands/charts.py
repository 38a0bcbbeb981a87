"""What is asked of a chart of accounts that only the book can tell: whether each account keeps its line."""

from __future__ import annotations

from collections.abc import Iterator

from book.state import Book
from schemas.documents.charts import Chart
from schemas.documents.document import Problem


def check_chart(book: Book, chart: Chart) -> Iterator[Problem]:
    """A line with accounts stays, with their kind. What is opened later is asked when it is opened."""
    kinds = {line.code: (index, line.kind) for index, line in enumerate(chart.lines)}
    kept = dict.fromkeys((account.ledger, account.kind) for account in book.accounts.values())
    for ledger, kind in kept:
        index, wanted = kinds.get(ledger, (-1, None))
        if index < 0:
            yield Problem("lines", f"accounts are kept under {ledger}, so the line cannot be removed")
        elif wanted != kind:
            yield Problem(f"lines[{index}].kind", f"accounts of kind {kind} are kept under {ledger}")
