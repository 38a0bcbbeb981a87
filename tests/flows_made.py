"""Flows and a directory by hand, for typologies that are tested without a bank around them.

A party `p3` has the account `a3`; what begins with `x` is outside, by its key; `bank` is the bank's own
account.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import strategies as st

from detection.flows import Flow, Holder, Typology
from schemas.alerts import Alert
from schemas.documents.typology import DAY_MS, HOUR_MS

BEGAN_MS = 1_767_225_600_000
"""Thursday 1 January 2026, midnight UTC."""
SOURCE = "what the tests go by"


class Names:
    """A directory: everybody that a test names, opened and changed when it says so."""

    def __init__(self, *, opened_at: int = 0, changed_at: int = 0, product: str = "current") -> None:
        self.opened_at, self.changed_at, self.product = opened_at, changed_at, product

    def holder(self, account: str) -> Holder | None:
        if not account.startswith("a"):
            return None
        return Holder(
            party=party_of(account),
            product=self.product,
            kind="customer",
            currency="EUR",
            country="DE",
            opened_at=self.opened_at,
            changed_at=self.changed_at,
        )


def party_of(account: str) -> str:
    return f"p{account[1:]}" if account.startswith("a") else ""


def flow(
    seq: int,
    at: int,
    source: str,
    target: str,
    amount: int,
    *,
    left: int = 0,
    currency: str = "EUR",
    country: str = "",
) -> Flow:
    """left: what is still on the account that pays."""
    outside = next((one for one in (source, target) if one.startswith("x")), "")
    inside = [one for one in (source, target) if not one.startswith("x")]
    return Flow(
        book="b",
        seq=seq,
        at=at,
        day=datetime.date(1970, 1, 1).toordinal() + at // DAY_MS,
        minute=at // 60_000 % 1_440,
        kind="transfer" if len(inside) == 2 else "payment_in" if outside == source else "payment_out",
        source="" if source == outside else source,
        target="" if target == outside else target,
        source_party=party_of(source),
        target_party=party_of(target),
        outside=outside,
        source_after=left,
        target_after=0,
        amount=amount,
        currency=currency,
        country=country,
        channel="",
        device="",
        movement="",
    )


def run(typology: Typology, flows: Sequence[Flow], names: Names | None = None) -> list[Alert]:
    """All that is noticed. Halfway the typology is made anew from its state as a snapshot keeps it."""
    names = names or Names()
    found: list[Alert] = []
    for index, one in enumerate(flows):
        if index == len(flows) // 2:
            typology = restored(typology)
        found += typology.flow(one, names)
    return found


def restored(typology: Any) -> Typology:
    """Another one of the same kind, with the state that a snapshot would give back."""
    state = msgspec.json.decode(msgspec.json.encode(typology.state), type=typology.State)
    made: Typology = type(typology)(typology.setting, typology.version, state)
    return made


@st.composite
def histories(
    draw: st.DrawFn,
    amounts: Sequence[int],
    *,
    accounts: Sequence[str] = ("a1", "a2", "a3", "a4", "x1", "x2", "bank"),
    gaps: Sequence[int] = (0, 60_000, HOUR_MS, 6 * HOUR_MS, DAY_MS, 4 * DAY_MS),
    lefts: Sequence[int] = (0, 5_00, 100_00),
    countries: Sequence[str] = ("", "IR", "FR"),
    pairs: Sequence[tuple[str, str]] = (),
    most: int = 40,
) -> list[Flow]:
    """Flows in order of time, with ties and jumps, between few accounts: the first so many of what a seed
    gives, so that what fails is cut short and patterns come about by chance.

    pairs: who pays whom, in place of all accounts.
    """
    chance = random.Random(draw(st.integers(0, 2**32 - 1)))
    at = BEGAN_MS
    made: list[Flow] = []
    for _ in range(draw(st.integers(most // 2, most))):
        at += chance.choice(gaps)
        source, target = chance.choice(pairs) if pairs else chance.sample(accounts, 2)
        if source != target and {source[0], target[0]} & {"a"}:
            made.append(
                flow(
                    len(made) + 1,
                    at,
                    source,
                    target,
                    chance.choice(amounts),
                    left=chance.choice(lefts),
                    country=chance.choice(countries),
                    currency=chance.choice(("EUR", "EUR", "EUR", "EUR", "USD")),
                )
            )
    return made
