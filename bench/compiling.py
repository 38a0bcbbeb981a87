"""`rules-compile`: what a rule costs once, before it is live: to be read and checked, and to be made ready.

`check` is all that publishing asks of the document alone; `plan` the function for one kind of movement and
one currency. Each for the thirty rules of `rules-30`, and for as many as a document may have.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench.measure import Figure
from bench.ruled import CURRENCY, THIRTY, body
from book.ruling import RulesInForce, Ruling
from commands.rule_plans import Plans
from schemas.documents.document import Document
from schemas.documents.kinds import known, read
from schemas.documents.rules import MOST_RULES


def figures(rounds: int) -> Iterator[Figure]:
    """In ns a rule."""
    for count in (len(THIRTY), MOST_RULES):
        told = _rules(count)
        assert isinstance(read("rules", told), Document), "they are right"
        rules = RulesInForce(1, "", known("rules", told))  # type: ignore[arg-type]
        ruling = Ruling("measured", {"measured": rules})

        def plan(ruling: Ruling = ruling) -> object:
            return Plans(ruling)["transfer", CURRENCY]

        def check(told: dict[str, Any] = told) -> object:
            return read("rules", told)

        for name, work in (("check", check), ("plan", plan)):
            seconds = _median_s(work, rounds)
            yield Figure(workload=f"rules-compile/{name}-{count}", ns=round(seconds / count * 1e9))


def _rules(count: int) -> dict[str, Any]:
    """So many rules: the thirty, with an amount more, so that no two ask the same."""
    conditions = {
        f"{name}-{number}": {"all": [when, {"feature": "amount", "at_least": number + 1}]}
        for number in range(count // len(THIRTY) + 1)
        for name, when in THIRTY.items()
    }
    return body(dict(list(conditions.items())[:count]))


def _median_s(work: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[1:])
