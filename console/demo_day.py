"""The demo's day in a bank, told line by line, with the trial balance it ends with."""

from __future__ import annotations

import time
from collections.abc import Sequence

from console.output import Output
from gateway.demo_business import BOOK, BusinessDay
from gateway.demo_told import Line
from gateway.demo_two import Submit
from projections.database import connect
from projections.queries import audit, trial_balance
from schemas.money import EXPONENTS, format_minor


def decide(output: Output, submit: Submit, admin: str) -> list[Line]:
    """Live the day and tell it; the lines, of which each says whether it came as it was meant."""
    lines = list(BusinessDay(submit, admin).lines())
    output.head("A day in a bank: two people, a product, and what neither of them can do alone")
    tell(output, lines)
    return lines


def tell(output: Output, lines: Sequence[Line]) -> None:
    """Each line, and what came otherwise than it was meant as a failure."""
    output.table(
        "",
        ["", "who", "says", "and it", "which shows"],
        [
            (
                time.strftime("%d %b %H:%M", time.gmtime(line.at_ms / 1000)),
                line.actor,
                line.said,
                line.came_of,
                line.why,
            )
            for line in lines
        ],
    )
    for line in lines:
        if not line.meant:
            output.fail(f"{line.actor} {line.said}: {line.came_of}, which was not meant")


def balance(output: Output, dsn: str) -> None:
    """What happened by itself, and the trial balance at the end of it, from PostgreSQL."""
    with connect(dsn) as session:
        lines = trial_balance(session, BOOK)
        fired = [one for one in audit(session, book=BOOK, limit=1_000) if one.timer]
    output.head("What happened by itself that day, and at its end")
    output.table(
        "",
        ["", "timer", "event", ">seq"],
        [(one.at.strftime("%d %b %H:%M"), one.timer.partition("\n")[0], one.type, one.seq) for one in fired],
    )
    output.head("The trial balance of that day: it sums to zero")
    output.table(
        "",
        ["ledger", "name", "currency", ">debit", ">credit", ">balance"],
        [
            (
                line.ledger,
                line.name,
                line.currency,
                *(
                    format_minor(amount, EXPONENTS[line.currency])
                    for amount in (line.debit, line.credit, line.balance)
                ),
            )
            for line in lines
        ],
    )
