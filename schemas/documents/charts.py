"""The chart of accounts: the lines of the general ledger as a tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import annotated_types as at
from msgspec import Meta

from schemas.documents.document import Document, Problem
from schemas.fields import ESSENTIAL_KINDS, AccountKind, Label, NewId, Text
from schemas.message import Value

NormalSide = Literal["debit", "credit"]
NORMAL_SIDE: dict[AccountKind, NormalSide] = {
    "customer": "credit",
    "income": "credit",
    "expense": "debit",
    "nostro": "debit",
    "suspense": "credit",
    "fx_position": "debit",
    "inter_book": "debit",
    "accrued": "credit",
    "equity": "credit",
}
"""On which side a line of the kind usually has its balance, where nobody says so."""


class LedgerLine(Value, frozen=True, kw_only=True):
    """A line. A line with a kind has accounts of it below, a line without one has other lines.

    parent: the code of the line that it sums up to; empty at the top.   side: where its balance usually is.
    """

    code: NewId
    name: Text
    side: NormalSide
    parent: Label = ""
    kind: AccountKind | None = None


class Chart(Document):
    """The chart of accounts. When it takes effect, it is the book's, in place of what was."""

    lines: Annotated[tuple[LedgerLine, ...], Meta(min_length=1, max_length=10_000), at.Len(1, 10_000)]

    def problems(self) -> Iterator[Problem]:
        """What is no tree, and which kinds of account have no line."""
        by_code: dict[str, LedgerLine] = {}
        for index, line in enumerate(self.lines):
            if line.code in by_code:
                yield Problem(f"lines[{index}].code", f"there is a line {line.code} already")
            by_code.setdefault(line.code, line)
        parents = {line.parent for line in self.lines}
        for index, line in enumerate(self.lines):
            above = by_code.get(line.parent)
            if line.parent and above is None:
                yield Problem(f"lines[{index}].parent", f"there is no line {line.parent}")
            elif above is not None and above.kind is not None:
                yield Problem(
                    f"lines[{index}].parent",
                    f"{line.parent} has accounts below (of kind {above.kind}), so it has no lines",
                )
            elif _goes_round(line, by_code):
                yield Problem(f"lines[{index}].parent", f"{line.code} is its own ancestor")
            if line.kind is None and line.code not in parents:
                yield Problem(f"lines[{index}].kind", "a line without lines below has a kind of account")
        kinds = {line.kind for line in self.lines}
        for kind in ESSENTIAL_KINDS:
            if kind not in kinds:
                yield Problem("lines", f"there is no line for accounts of kind {kind}")


def _goes_round(line: LedgerLine, by_code: dict[str, LedgerLine]) -> bool:
    """Whether the way up from the line leads back to it."""
    seen: set[str] = set()
    above = by_code.get(line.parent)
    while above is not None and above.code not in seen:
        if above.code == line.code:
            return True
        seen.add(above.code)
        above = by_code.get(above.parent)
    return False
