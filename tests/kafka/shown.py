"""The read models are what the events say: the rows that should be there, from a fold of our own, and those
that are.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import psycopg

from tests.kafka.evidence import SYSTEM, Problem, Rows, Said, answers_of
from tests.kafka.money import Money

QUERIES: Final[Mapping[str, str]] = {
    "accounts": "SELECT book, account, kind, currency, status, booked, held, overdraft FROM daybook.accounts",
    "holds": "SELECT book, hold, account, status, amount, captured FROM daybook.holds",
    "entries": "SELECT book, account, seq, leg, amount, currency, balance FROM daybook.entries",
    "cross_book": "SELECT from_book, to_book, number, amount, currency, state FROM daybook.cross_book",
    "commands": "SELECT partition, cause, book, actor, command, outcome, reason, seq FROM daybook.commands",
    "position": "SELECT partition, event_offset FROM daybook.position WHERE event_offset >= 0",
}
"""A row of each table, without what no fold of the events alone could know better."""


def rows_of(dsn: str) -> Rows:
    """What the read models hold, all at one moment."""
    try:
        with psycopg.connect(dsn, options="-c default_transaction_isolation=repeatable\\ read") as session:
            return {table: session.execute(query.encode()).fetchall() for table, query in QUERIES.items()}
    except psycopg.errors.UndefinedTable:  # no projector has come so far as to make them
        return {table: [] for table in QUERIES}


def shown(rows: Rows, money: Money, events: Iterable[Said]) -> Iterator[Problem]:
    """Finds: row_missing, row_differs, row_too_many."""
    events = list(events)
    wanted: dict[str, list[tuple[Any, ...]]] = {
        "accounts": [
            (*name, one.kind, one.currency, one.status, one.booked, one.held, one.overdraft)
            for name, one in money.accounts.items()
        ],
        "holds": _holds(events),
        "entries": [
            (event.says["book"], one["account"], event.says["seq"], leg, one["amount"], one["currency"],
             one["balance"])
            for event in events
            for leg, one in enumerate(event.says.get("postings", ()), 1)
        ],
        "cross_book": _crossings(money),
        "commands": [_command(run) for run in answers_of(events)],
        "position": list({event.partition: event.record.offset for event in events}.items()),
    }  # fmt: skip
    keys = {"accounts": 2, "holds": 2, "entries": 4, "cross_book": 3, "commands": 2, "position": 1}
    for table, right in wanted.items():
        yield from _compared(table, keys[table], right, rows[table])


def _compared(
    table: str, key: int, right: Iterable[tuple[Any, ...]], found: Iterable[tuple[Any, ...]]
) -> Iterator[Problem]:
    wanted = {row[:key]: row for row in right}
    seen: set[tuple[Any, ...]] = set()
    for row in found:
        name = row[:key]
        where = f"{table} {name}"
        if name in seen or name not in wanted:
            yield Problem("row_too_many", where, str(row))
        elif row != wanted[name]:
            yield Problem("row_differs", where, f"{row} for {wanted[name]}")
        seen.add(name)
    for name in wanted.keys() - seen:
        yield Problem("row_missing", f"{table} {name}", str(wanted[name]))


def _holds(events: Iterable[Said]) -> list[tuple[Any, ...]]:
    """Book, hold, account, status, amount, captured; the newest where an id was used again."""
    holds: dict[tuple[str, str], list[Any]] = {}
    for event in events:
        says = event.says
        if not event.type.startswith("Hold"):
            continue
        name = says["book"], says["hold"]
        match event.type:
            case "HoldPlaced":
                holds[name] = [says["account"], "open", says["amount"], 0]
            case "HoldRaised":
                holds[name][2] = says["amount_after"]
            case "HoldCaptured":
                holds[name][3] = says["captured_after"]
                holds[name][1] = holds[name][1] if says["left"] else "captured"
            case "HoldReleased":
                holds[name][1] = "expired" if says["expired"] else "released"
            case _:
                pass
    return [(*name, *one) for name, one in holds.items()]


def _crossings(money: Money) -> list[tuple[Any, ...]]:
    rows = []
    for name, steps in money.crossings.items():
        state = next(one for one in ("completed", "released", "received", "refused", "sent") if one in steps)
        told = steps[state].says
        rows.append((*name, told["amount"], told["currency"], state))
    return rows


def _command(run: list[Said]) -> tuple[Any, ...]:
    own = [event for event in run if event.says["book"] != SYSTEM] or run
    first = own[0]
    outcome, reason = "accepted", ""
    match first.type:
        case "CommandRejected":
            outcome, reason = "rejected", first.says["reason"]
        case "CommandRepeated":
            outcome, reason = "repeated", first.says.get("reason", "")
        case "ApprovalRequested":
            outcome = "waiting"
        case _:
            pass
    says = first.says
    named = says.get("actor", ""), says.get("command", "")
    book = says["book"] if says["book"] != SYSTEM or not first.partition else f"{SYSTEM}/{first.partition}"
    return (first.partition, says["cause"], book, *named, outcome, reason, says["seq"])
