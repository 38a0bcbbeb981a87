"""Payments between books on the terminal: what is on its way, or one payment with both its sides."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from console.output import Output
from console.read_models import read_models
from engine.home import Home
from engine.settings import Settings
from projections.cross_book_queries import CrossBookRow, named, unsettled
from projections.database import Session, connect
from projections.queries import digits
from schemas.money import format_minor
from schemas.rejections import sentence


def show(output: Output, home: Home, settings: Settings, transfer: str | None, book: str | None) -> bool:
    """Show the payments of this name, or all that are on their way; False where there is none of the name."""
    with read_models(output, home, settings) as database, connect(database.dsn) as session:
        found = named(session, transfer, book) if transfer is not None else unsettled(session, book)
        if transfer is not None and not found:
            output.fail(f"There is no payment between books of the name {transfer}.")
            return False
        amounts = [_amount(session, row) for row in found]
    if transfer is None:
        _list(output, found, amounts)
    else:
        for row, amount in zip(found, amounts, strict=True):
            output.table("", ["", ""], list(_described(row, amount)))
    for row in found:
        output.emit(**msgspec.to_builtins(row))
    return True


def _amount(session: Session, row: CrossBookRow) -> str:
    if row.amount is None or row.currency is None:
        return ""
    return f"{format_minor(row.amount, digits(session, row.from_book, row.currency))} {row.currency}"


def _list(output: Output, found: list[CrossBookRow], amounts: list[str]) -> None:
    if not found:
        output.say("No payment between books is on its way.")
        return
    output.table(
        "",
        ["payment", "from", "to", ">amount", "state", ">age"],
        [
            (
                row.transfer,
                f"{row.from_book}/{row.from_account or '?'}",
                f"{row.to_book}/{row.to_account}",
                amount,
                row.state,
                _age(row.age_s),
            )
            for row, amount in zip(found, amounts, strict=True)
        ],
    )


def _described(row: CrossBookRow, amount: str) -> Iterator[tuple[str, str]]:
    yield "payment", f"{row.transfer} (number {row.number} from {row.from_book} to {row.to_book})"
    yield "state", row.state
    if row.age_s is not None:
        yield "on its way for", _age(row.age_s)
    yield "from", f"{row.from_book}/{row.from_account or '?'}"
    yield "to", f"{row.to_book}/{row.to_account}"
    yield "amount", amount
    if row.reference:
        yield "reference", row.reference
    for name, at, book, seq in (
        ("sent", row.sent_at, row.from_book, row.sent_seq),
        ("received", row.answered_at, row.to_book, row.received_seq),
        ("refused", row.answered_at, row.to_book, row.refused_seq),
        ("completed", row.settled_at, row.from_book, row.completed_seq),
        ("released", row.settled_at, row.from_book, row.released_seq),
        ("acknowledged", row.acknowledged_at, row.to_book, row.acknowledged_seq),
    ):
        if seq is not None and at is not None:
            yield name, f"{at:%Y-%m-%d %H:%M:%S} UTC, seq {seq} of {book}"
    if row.reason:
        yield "because", f"{row.reason}: {sentence(row.reason, row.figures or {})}"


def _age(seconds: int | None) -> str:
    """Days, hours, minutes and seconds, from the first that counts."""
    if seconds is None:
        return "?"
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    parts = [(day, "d"), (hour, "h"), (minute, "min"), (second, "s")]
    first = next((index for index, (value, _) in enumerate(parts) if value), len(parts) - 1)
    return " ".join(f"{value} {unit}" for value, unit in parts[first : first + 2])
