"""What planted patterns are made of: accounts on the other side, movements, and how far beyond a figure they
go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from gateway.demo_words import Draw
from schemas.accounts import OpenAccount
from schemas.documents.typologies import Typologies
from schemas.message import Command
from schemas.parties import RegisterParty
from schemas.transfers import Transfer

Level = Literal["below", "at", "above"]
"""below: one short of what must be found.   at: exactly that.   above: well beyond."""
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
HELPERS: Final = 64
"""Accounts on the other side of what is planted: they have money from the beginning."""
HELPER_MONEY: Final = 5_000_000_00


class Step(NamedTuple):
    """A command without its envelope. fields: of the command."""

    at_ms: int
    message: type[Command]
    fields: dict[str, Any]


def reach(level: Level, least: int, above: int | None = None) -> int:
    """One less than that, just that, or well beyond: half as much more, or `above`."""
    if level == "above":
        return least + max(1, least // 2) if above is None else above
    return least if level == "at" else least - 1


def share_of(level: Level, amount: int, share: int) -> int:
    """So much of an amount, per mille, rounded up; well beyond is nearly all of it."""
    return -(-amount * (max(share, 980) if level == "above" else share) // 1_000)


def parts_of(amount: int, count: int) -> list[int]:
    """The amount in so many equal parts; the last has the rest."""
    part = amount // count
    return [part] * (count - 1) + [amount - part * (count - 1)]


class Parts:
    """The parts of patterns in one book. See `Planter`."""

    def __init__(
        self, sets: Typologies, draw: Draw, *, funding: str, cash: str, prefix: str, currency: str
    ) -> None:
        self.sets = sets
        self.draw = draw
        self.cash = cash
        self.abroad = f"{prefix}-abroad"
        self._funding = funding
        self._prefix = prefix
        self._currency = currency
        self._next_helper = 0

    def helpers(self, count: int) -> list[str]:
        """The next so many, in turns."""
        first = self._next_helper
        self._next_helper += count
        return [f"{self._prefix}-helper-{(first + n) % HELPERS:02d}" for n in range(count)]

    def helper(self) -> str:
        """The next one."""
        return self.helpers(1)[0]

    def amount(self, amounts: Mapping[str, int]) -> int:
        """The one in the currency of the plants."""
        return amounts[self._currency]

    def move(self, at_ms: int, debit: str, credit: str, amount: int, channel: str = "") -> Step:
        """A transfer."""
        fields: dict[str, Any] = {
            "debit": debit,
            "credit": credit,
            "amount": amount,
            "currency": self._currency,
        }
        return Step(at_ms, Transfer, {**fields, "channel": channel} if channel else fields)

    def fund(self, at_ms: int, account: str, amount: int) -> Step:
        """Money from the bank's own account."""
        return self.move(at_ms, self._funding, account, amount)

    def customer(self, name: str, at_ms: int, money: int, *, country: str = "DE") -> Iterator[Step]:
        """A party and its account, both of that name, and what it begins with."""
        about = {"kind": "person", "name": "Planted", "country": country, "status": "active"}
        yield Step(at_ms, RegisterParty, {"party": name, **about})
        account = {"account": name, "party": name, "currency": self._currency, "product": "current"}
        yield Step(at_ms, OpenAccount, account)
        if money:
            yield self.fund(at_ms, name, money)
