"""Does policy ask for approval? The step of the pipeline between repeat and decide.

A command type without a line costs one look-up; one whose lines have amounts only, a comparison a line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from book.policies import LineInForce, LinesInForce
from book.state import Book
from book.usage import Usage
from commands.payees import paid
from commands.reach import REACH, Reach
from schemas.catalogue import COMMANDS, digest
from schemas.documents.approval_policies import Together
from schemas.fields import INT64_MAX
from schemas.message import Command
from schemas.reserves import Use

SLICES = 24
SINGLE: frozenset[type[Command]] = frozenset(
    kind for kind in COMMANDS if {"amount", "currency"} <= set(kind.__struct_fields__)
)
"""Commands that say their one amount themselves, so that it need not be searched for."""
Amounts = Sequence[tuple[str, int]] | None


def line_that_asks(
    book: Book, policy: LinesInForce, command: Any, at_ms: int, own: Sequence[Use] = ()
) -> LineInForce | None:
    """The first line that asks for approval of this command. own: what it has been counted for already."""
    single = type(command) in SINGLE
    if single and policy.amounts_only:  # nearly always: nothing else is to be looked at
        amount, currency = command.amount, command.currency
        for one in policy.lines:
            if amount >= one.floors.get(currency, 0):
                return one
        return None
    reach = _reach(book, command, single)
    for one in policy.lines:
        if _meant(book, one, command, reach, at_ms, own):
            return one
    return None


def _reach(book: Book, command: Any, single: bool) -> Reach:
    find = REACH.get(type(command))
    reach = Reach() if find is None else find(book, command)
    if single:
        reach.amounts = [(command.currency, command.amount)]
    return reach


def _meant(book: Book, one: LineInForce, command: Any, reach: Reach, at_ms: int, own: Sequence[Use]) -> bool:
    when = one.line.when
    if when.document_kinds and command.kind not in when.document_kinds:
        return False
    if when.segments and not _in_segments(book, command, reach, when.segments):
        return False
    if when.risks and not _of_risks(book, reach, when.risks):
        return False
    if not when.amounts and when.together is None:
        return True
    amounts = reach.amounts
    if amounts is None:
        return True
    if when.amounts and any(amount >= when.amounts.get(currency, 0) for currency, amount in amounts):
        return True
    if when.together is None:
        return False
    return _together(book, one, when.together, command, amounts, at_ms, own)


def _together(
    book: Book,
    one: LineInForce,
    together: Together,
    command: Any,
    amounts: Sequence[tuple[str, int]],
    at_ms: int,
    own: Sequence[Use],
) -> bool:
    limit = counter_of(one, together)
    return any(
        amount + _sent(book, limit, together, key, at_ms, own) >= together.amounts.get(currency, 0)
        for key, (currency, amount) in _sums(book, command, amounts).items()
    )


def _in_segments(book: Book, command: Any, reach: Reach, segments: tuple[str, ...]) -> bool:
    if reach.parties is None:
        return True
    for name in reach.parties:
        party = book.parties.get(name)
        segment = getattr(command, "segment", None) if party is None else party.segment
        if name and (segment is None or segment in segments):
            return True
    return False


def _of_risks(book: Book, reach: Reach, risks: tuple[str, ...]) -> bool:
    """A party that is not known yet is not rated yet."""
    if reach.parties is None:
        return True
    parties = [(name, book.parties.get(name)) for name in reach.parties if name]
    return any(("unrated" if party is None else party.risk) in risks for _, party in parties)


# --- what a maker sends to a payee ------------------------------------------------------------------------


def counts_of(book: Book, policy: LinesInForce, command: Any, at_ms: int) -> tuple[Use, ...]:
    """What the command adds to the sums of its maker and payee, for the lines that keep any."""
    if not policy.sums:
        return ()
    amounts = _reach(book, command, type(command) in SINGLE).amounts or ()
    sums = _sums(book, command, amounts)
    return tuple(
        _use(book, counter_of(one, together), together, key, amount, at_ms)
        for one in policy.lines
        if (together := one.line.when.together) is not None
        for key, (currency, amount) in sums.items()
        if currency in together.amounts and amount > 0
    )


def taken_off(book: Book, counts: Sequence[Use]) -> tuple[Use, ...]:
    """The same amounts off again, where their slice still counts."""

    def found() -> Iterator[Use]:
        for one in counts:
            usage = book.approvals.counted.get(one.limit, {}).get(one.key)
            if usage is not None and (had := usage.in_bucket(one.bucket)):
                total = max(0, had - one.amount)
                yield Use(one.limit, one.by, one.key, one.bucket, one.first, -one.amount, total, 0)

    return tuple(found())


def counter_of(one: LineInForce, together: Together) -> str:
    """The name of a line's sums; another window is another count."""
    return f"{one.policy}/{one.line.id}/{together.window_s}"


def _slice(together: Together, at_ms: int) -> int:
    return at_ms * SLICES // (together.window_s * 1_000)


def _sums(book: Book, command: Any, amounts: Sequence[tuple[str, int]]) -> dict[str, tuple[str, int]]:
    """What the command sends, as (currency, amount), by maker, payee and currency."""
    actor = book.actors.get(command.actor)
    maker = (actor.person if actor else "") or command.actor
    sums: dict[str, tuple[str, int]] = {}
    for name, currency, amount in paid(book, command, amounts):
        whom = digest(name.encode()) if name else ""  # it may be personal, and this goes into events
        key = f"{maker}\n{whom}\n{currency}"
        sums[key] = (currency, sums[key][1] + amount if key in sums else amount)
    return sums


def _sent(book: Book, limit: str, together: Together, key: str, at_ms: int, own: Sequence[Use]) -> int:
    usage = book.approvals.counted.get(limit, {}).get(key)
    if usage is None:
        return 0
    first = _slice(together, at_ms) - SLICES
    mine = sum(one.amount for one in own if (one.limit, one.key) == (limit, key) and one.bucket >= first)
    return usage.since(first) - mine


def _use(book: Book, limit: str, together: Together, key: str, amount: int, at_ms: int) -> Use:
    bucket = _slice(together, at_ms)
    usage = book.approvals.counted.get(limit, {}).get(key) or Usage(bucket, 0)
    total = min(INT64_MAX, usage.in_bucket(bucket) + amount)
    return Use(limit, "maker_payee", key, bucket, bucket - SLICES, amount, total, 0)
