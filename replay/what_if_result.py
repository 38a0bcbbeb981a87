"""The result of a what-if, what its parts come from, and the digest that is its proof."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import msgspec
import orjson

from book.state import Account
from replay.drafts import Refused, Tried
from replay.effects import (
    Earned,
    Effects,
    Events,
    Example,
    FeeLine,
    Refusals,
    Seen,
    fees_of,
    status_of,
)
from replay.risk_effects import Risk
from schemas.message import Command

MOST_ACCOUNTS = 20


class WhatIf(msgspec.Struct, frozen=True):
    """What would have been different.

    commands: decided again.   changed: with another outcome, another fee or other money.
    not_comparable: what refers to something that is not there in the other history.
    other_release: recorded by another release, so that a difference may be the release's.
    would_wait, no_longer_wait: for approval.
    earned: accounts of the bank's own that would stand elsewhere, the largest difference first.
    customers_differ: how many customer accounts would.   customers_difference: all together, by currency.
    first, largest: examples.   refused: drafts that the book would not have taken; then nothing was decided.
    drafts: what was tried.   through_seq: the last event of the recorded history that was looked at.
    risk: verdicts and what they came to, where drafts are about risk.
    """

    book: str
    from_ms: int
    to_ms: int
    commands: int
    changed: int
    not_comparable: int
    other_release: int
    fees: list[FeeLine]
    refusals: list[Refusals]
    would_wait: int
    no_longer_wait: int
    events: list[Events]
    earned: list[Earned]
    customers_differ: int
    customers_difference: dict[str, int]
    first: list[Example]
    largest: list[Example]
    refused: list[Refused]
    drafts: list[Tried]
    through_seq: int
    risk: Risk | None = None


def proof_of(found: WhatIf) -> str:
    """SHA-256, in hex, over the result as canonical JSON: the same question of the same log has the same."""
    return hashlib.sha256(orjson.dumps(msgspec.to_builtins(found), option=orjson.OPT_SORT_KEYS)).hexdigest()


def stands(effects: Effects, accounts: Mapping[str, Account]) -> tuple[list[Earned], int, dict[str, int]]:
    """Which accounts would stand elsewhere: those of the bank's own, the largest difference first; how many
    of customers; and by how much those do all together, by currency.
    """
    earned: list[Earned] = []
    differ: dict[str, int] = {}
    differing = 0
    for (account, currency), amount in effects.moved.items():
        if not amount:
            continue
        if account in accounts and accounts[account].kind == "customer":
            differing += 1
            differ[currency] = differ.get(currency, 0) + amount
        else:
            earned.append(Earned(account, currency, amount))
    earned.sort(key=lambda one: (-abs(one.difference), one.account, one.currency))
    return earned[:MOST_ACCOUNTS], differing, dict(sorted(differ.items()))


def about(command: object, before: Sequence[Seen], after: Sequence[Seen]) -> tuple[int, str]:
    """How much a difference is about: fees, where only they differ, else what the command moves."""
    if status_of(before) == status_of(after):
        fees, others = fees_of(before), fees_of(after)
        if fees != others:
            return max((abs(others.get(one, 0) - fees.get(one, 0)), one) for one in {**fees, **others})
    amount, currency = getattr(command, "amount", 0), getattr(command, "currency", "")
    return (abs(amount), currency) if isinstance(amount, int) and isinstance(currency, str) else (0, "")


def example_of(
    command: object, before: Sequence[Seen], after: Sequence[Seen], waited: bool, minor: int, currency: str
) -> Example:
    """A command with another outcome. waited: it would have, before that."""
    assert isinstance(command, Command), "what the book has answered is a command"
    return Example(
        command=command.id,
        type=type(command).__name__,
        actor=command.actor,
        seq=before[0].seq,
        at_ms=before[0].at,
        was=status_of(before),
        would_be="waits" if waited else status_of(after),
        minor=minor,
        currency=currency,
        fees=fees_of(before),
        would_be_fees=fees_of(after),
    )
