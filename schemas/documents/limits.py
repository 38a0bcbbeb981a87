"""Limits: how much may move at once, and within a window of time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import annotated_types as at
from msgspec import Meta

from schemas.documents.document import Document, LineId, Problem
from schemas.documents.filters import Only, twice
from schemas.fields import Amount, Currency
from schemas.message import Value

Measure = Literal["amount", "sum", "count"]
Window = Literal["transaction", "hour", "day", "month", "rolling"]
CountedBy = Literal["account", "party", "product", "channel", "corridor", "counterparty"]
NARROWEST_MS = 60_000
WIDEST_MS = 400 * 86_400_000
MOST_BUCKETS = 96
Span = Annotated[int, Meta(ge=NARROWEST_MS, le=WIDEST_MS), at.Ge(NARROWEST_MS), at.Le(WIDEST_MS)]
Buckets = Annotated[int, Meta(ge=1, le=MOST_BUCKETS), at.Ge(1), at.Le(MOST_BUCKETS)]


class LimitLine(Value):
    """One limit.

    measure: the amount of each movement, or the sum or number of all within the window.
    most: minor units of `currency`, or a number; reaching it is allowed.
    currency: of the accounts it holds for; only a number may leave it out, and then counts all of them.
    window: `transaction` (for `amount`), the clock hour of UTC, the day or month of the book's time zone, or
        `rolling`: the last `span_ms`, told apart in `buckets` equal slices. The oldest slice, which lies only
        partly within the span, counts whole: a rolling limit may refuse early and never passes late.
    by: whose movements are counted together. By party, an account without one counts by itself.
    """

    id: LineId
    measure: Measure
    most: Amount
    window: Window
    currency: Currency | None = None
    span_ms: Span | None = None
    buckets: Buckets | None = None
    by: CountedBy = "account"
    only: Only = Only()

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with it by itself."""
        if (self.measure == "amount") != (self.window == "transaction"):
            yield Problem(f"{path}.window", "a transaction is limited in its amount, every other window not")
        if self.measure != "count" and self.currency is None:
            yield Problem(f"{path}.currency", "give the currency of the amount")
        if self.window == "transaction" and self.by != "account":
            yield Problem(f"{path}.by", "a limit of each transaction is by account")
        if self.window == "rolling":
            if self.span_ms is None or self.buckets is None:
                yield Problem(path, "a rolling window has span_ms and buckets")
            elif self.span_ms % self.buckets or self.span_ms // self.buckets < NARROWEST_MS:
                yield Problem(
                    f"{path}.buckets",
                    f"must divide span_ms evenly, into slices of {NARROWEST_MS} ms or more",
                )
        elif self.span_ms is not None or self.buckets is not None:
            yield Problem(f"{path}.window", "only a rolling window has span_ms and buckets")
        yield from self.only.problems(f"{path}.only", self.currency)


class Limits(Document):
    """Limits that hold together: a movement must be within all that concern it. Fees do not count."""

    lines: Annotated[tuple[LimitLine, ...], Meta(min_length=1, max_length=50), at.Len(1, 50)]

    def problems(self) -> Iterator[Problem]:
        """Lines that are wrong, lines of the same id, and lines that count the same."""
        yield from twice("lines", tuple(line.id for line in self.lines), ".id")
        seen: dict[object, int] = {}
        for index, line in enumerate(self.lines):
            yield from line.problems(f"lines[{index}]")
            what = (line.measure, line.window, line.span_ms, line.by, line.currency, line.only)
            if (other := seen.setdefault(what, index)) != index:
                yield Problem(f"lines[{index}]", f"counts the same as lines[{other}]")
