"""The book that is measured: a wall clock, 10,000 customer accounts, and a bank's users, roles and systems.

Everything is set up by commands through the real pipeline. The transfers come from an upstream system that
proves each record with its own key, and whose role names the commands it may send.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from bench.ruled import RULES
from engine.admission import Admission
from engine.genesis import begin
from engine.log.memory import MemoryLog
from engine.log.recorder import RecorderLog
from engine.log.records import Out, wall_clock
from engine.proof import Key, Keyring, new_key, proof
from engine.worker import Worker
from schemas.access import (
    DefineRole,
    GrantRole,
    Permit,
    RegisterPerson,
    RegisterSystem,
    RegisterUser,
    Scope,
)
from schemas.accounts import OpenAccount
from schemas.books import DAY_MS, REVERSIBLE_DAYS, Administrator, OpenBook
from schemas.catalogue import encode
from schemas.message import Command
from schemas.parties import RegisterParty
from schemas.publishing import PublishDocument
from schemas.risk import Origin
from schemas.transfers import Transfer

BOOK = "bench"
CURRENCY = "EUR"
ADMINISTRATOR = Administrator(person="person-0", user="root")
UPSTREAM = "core-banking"
ACCOUNTS = 10_000
ACCOUNTS_A_PARTY = 5
OPENING_MINOR = 10_000_000
REPEAT_CAP = 50_000_000
"""The default of 1,000,000 ids in 7 days is reached in ten seconds at the speeds that are measured here."""

Contention = Literal["uniform-10k", "hot-account", "product-10k", "rules-10", "rules-30"]
CONTENTIONS: tuple[Contention, ...] = ("uniform-10k", "hot-account", "product-10k", "rules-10", "rules-30")
"""`product-10k` is `uniform-10k` on accounts with a product: `documents` says which. `rules-10`, `rules-30`:
the same accounts with so many rules in force (`bench/ruled.py`), from devices, by channels and corridors.
"""
HOT = "account-00000"

PRODUCT = "measured"
LIMITS = {
    "lines": [
        {"id": "day", "measure": "sum", "most": 10**9, "currency": CURRENCY, "window": "day"},
        {"id": "month", "measure": "count", "most": 10**9, "window": "month"},
        {
            "id": "rolling",
            "measure": "sum",
            "most": 10**9,
            "currency": CURRENCY,
            "window": "rolling",
            "span_ms": 30 * DAY_MS,
            "buckets": 10,
        },
    ]
}
TARIFF = {
    "lines": [
        {"id": "each", "currency": CURRENCY, "income": "fees", "rate": "0.015", "least": 1, "most": 500}
    ]
}
POLICY = {
    "lines": [
        {
            "id": "large",
            "commands": ["Transfer"],
            "needs": [{"roles": ["security"]}],
            "when": {"amounts": {CURRENCY: 10**9}},
        }
    ]
}
"""Three limits, a tariff and an approval policy in force on every account, none of which refuses anything."""

_GATEWAY_KEY, _UPSTREAM_KEY = "gateway", "upstream"
KEYS: dict[str, Key] = {_GATEWAY_KEY: new_key(), _UPSTREAM_KEY: new_key(UPSTREAM)}
KEYRING = Keyring(KEYS)


@contextlib.contextmanager
def named(name: str) -> Iterator[None]:
    """What is made within is about a book of this name: there is one for every partition."""
    global BOOK  # noqa: PLW0603 - a measurement has one book at a time
    before, BOOK = BOOK, name
    try:
        yield
    finally:
        BOOK = before


def account_id(number: int) -> str:
    return f"account-{number:05d}"


def by_people(commands: Sequence[Command]) -> list[Out]:
    """The commands as records that the gateway proves."""
    return [_record(command, _GATEWAY_KEY) for command in commands]


def by_upstream(commands: Sequence[Command]) -> list[Out]:
    """The commands as records that the upstream system proves."""
    return [_record(command, _UPSTREAM_KEY) for command in commands]


def _record(command: Command, key_id: str) -> Out:
    value = encode(command)
    return Out(command.book.encode(), value, proof(key_id, KEYS[key_id], value))


def staff(now_ms: int, reversible_days: int = REVERSIBLE_DAYS) -> list[Command]:
    """The commands that open the book, with its users, roles and systems; no customers yet."""
    said = Envelopes(now_ms)
    commands: list[Command] = [
        OpenBook(
            **said.next(),
            name="The book that is measured",
            currency=CURRENCY,
            administrators=(ADMINISTRATOR,),
            clock="wall",
            repeat_cap=REPEAT_CAP,
            reversible_days=reversible_days,
        )
    ]
    small = Scope(account_kinds=("customer",), amounts={CURRENCY: 100_000})
    own = Scope(own_party=True, amounts={CURRENCY: 1_000_000})
    roles = {
        "account-opening": _permits("RegisterParty", "OpenAccount", "SetOverdraft"),
        "payments": _permits("Transfer", "PostEntries", "ReverseTransfer", "RefundTransfer"),
        "teller": _permits("Transfer", scope=small),
        "online": _permits("Transfer", scope=own),
        "security": _permits("SuspendActor", "ReinstateActor", "BlockAccount", "LiftBlock", "Approve"),
    }
    for role, permits in roles.items():
        commands.append(DefineRole(**said.next(), role=role, permits=permits))
    for number in range(1, 101):
        commands.append(RegisterPerson(**said.next(), person=f"person-{number}", name=f"Person {number}"))
        commands.append(RegisterUser(**said.next(), user=f"user-{number}", person=f"person-{number}"))
        commands.append(
            GrantRole(**said.next(), subject=f"user-{number}", role=("teller", "security")[number % 2])
        )
    commands.append(RegisterSystem(**said.next(), system=UPSTREAM, purpose="Payments"))
    commands.extend(
        GrantRole(**said.next(), subject=UPSTREAM, role=role) for role in ("account-opening", "payments")
    )
    commands.append(OpenAccount(**said.next(), account="nostro", currency=CURRENCY, kind="nostro"))
    return commands


def _permits(*commands: str, scope: Scope | None = None) -> tuple[Permit, ...]:
    return tuple(Permit(command=command, scope=scope or Scope()) for command in commands)


def customers(now_ms: int, first: int, count: int, product: str = "") -> Iterator[Command]:
    """The commands that open customer accounts from `first` on, and register a party for every five."""
    for number in range(first, first + count):
        said: dict[str, Any] = {"book": BOOK, "actor": UPSTREAM, "issued_at_ms": now_ms}
        party = f"party-{number // ACCOUNTS_A_PARTY}"
        if number % ACCOUNTS_A_PARTY == 0:
            yield RegisterParty(
                **said,
                id=f"register-{number}",
                party=party,
                kind="person",
                name=f"N. {number}",
                status="active",
            )
        yield OpenAccount(
            **said,
            id=f"open-{number}",
            account=account_id(number),
            currency=CURRENCY,
            party=party,
            product=product,
        )


def documents(now_ms: int) -> list[Command]:
    """The commands that put the product of `product-10k` in force, with all that holds for it."""
    said = Envelopes(now_ms, "documents")
    commands: list[Command] = [
        OpenAccount(**said.next(), account="fees", currency=CURRENCY, kind="income"),
    ]
    for kind, body in (
        ("limits", LIMITS),
        ("tariff", TARIFF),
        ("product", {"name": "Measured", "tariff": "measured", "limits": ["measured"]}),
        ("approval_policy", POLICY),
    ):
        commands.append(
            PublishDocument(**said.next(), kind=kind, document=PRODUCT, version=1, body=body)  # type: ignore[arg-type]
        )
    return commands


def rules(now_ms: int, contention: Contention) -> Command:
    """The command that puts the rules of `rules-10` or `rules-30` in force."""
    said = Envelopes(now_ms, "rules")
    return PublishDocument(
        **said.next(), kind="rules", document="measured", version=1, body=RULES[contention]
    )


def deposits(now_ms: int) -> Iterator[Transfer]:
    """The commands that give every account its opening balance."""
    for number in range(ACCOUNTS):
        yield Transfer(
            id=f"deposit-{number}",
            book=BOOK,
            actor=UPSTREAM,
            issued_at_ms=now_ms,
            debit="nostro",
            credit=account_id(number),
            amount=OPENING_MINOR,
            currency=CURRENCY,
        )


def set_up(now_ms: int, contention: Contention) -> list[Out]:
    """Everything up to the first transfer between customers, as proven records."""
    with_product = contention == "product-10k"
    return [
        *by_people(staff(now_ms)),
        *(by_people(documents(now_ms)) if with_product else ()),
        *(by_people([rules(now_ms, contention)]) if contention in RULES else ()),
        *by_upstream(list(customers(now_ms, 0, ACCOUNTS, PRODUCT if with_product else ""))),
        *by_upstream(list(deposits(now_ms))),
        *(by_upstream(list(habits(now_ms))) if contention in RULES else ()),
    ]


def founded(log: MemoryLog | RecorderLog, contention: Contention = "uniform-10k") -> Worker:
    """Set the book up in an empty log; returns the worker that did it."""
    begin(log, [ADMINISTRATOR], wall_clock())
    worker = Worker(log, admission=Admission(KEYRING))
    log.submit(set_up(wall_clock(), contention))
    while worker.step():
        pass
    in_force = worker.folded.partition.books[BOOK].in_force
    assert bool(in_force.plans and in_force.policies) == (contention == "product-10k"), (
        "documents were refused"
    )
    assert bool(in_force.ruling.key) == (contention in RULES), "rules were refused"
    assert sum(account.booked for account in worker.folded.partition.books[BOOK].accounts.values()) == 0
    return worker


def pairs(contention: Contention, seed: int) -> Iterator[tuple[str, str, int]]:
    """Without end, who pays whom how much: any account any other, or all to or from one account."""
    chance = random.Random(seed)
    while True:
        one = account_id(chance.randrange(1, ACCOUNTS))
        other = account_id(chance.randrange(ACCOUNTS)) if contention != "hot-account" else HOT
        if one != other:
            amount = chance.randrange(1, 100)
            yield (one, other, amount) if chance.random() < 0.5 else (other, one, amount)


def transfers(contention: Contention, count: int, seed: int, now_ms: int) -> list[Out]:
    """Proven records of transfers. The ids differ for every seed and contention."""
    some = pairs(contention, seed)
    ruled = contention in RULES
    return by_upstream(
        [
            Transfer(
                id=f"{contention[:3]}-{seed}-{number:07d}",
                book=BOOK,
                actor=UPSTREAM,
                issued_at_ms=now_ms,
                debit=debit,
                credit=credit,
                amount=amount,
                currency=CURRENCY,
                **(asked_from(number, debit) if ruled else {}),
            )
            for number, (debit, credit, amount) in zip(range(count), some, strict=False)
        ]
    )


HABITS = 2 * ACCOUNTS


def habits(now_ms: int) -> Iterator[Transfer]:
    """The commands with which every account pays twice as it usually does, so that not all of it is new."""
    for number in range(HABITS):
        debit = account_id(number % ACCOUNTS)
        yield Transfer(
            id=f"habit-{number}",
            book=BOOK,
            actor=UPSTREAM,
            issued_at_ms=now_ms,
            debit=debit,
            credit=account_id((number + 1) % ACCOUNTS),
            amount=50,
            currency=CURRENCY,
            **asked_from(1, debit),
        )


def asked_from(number: int, debit: str) -> dict[str, Any]:
    """By which channel and corridor, and from which device: as usual, but for one in fifty."""
    seldom = number % 50 == 0
    country = "FR" if seldom else "DE"
    return {
        "channel": "web" if seldom else "app",
        "corridor": f"DE-{country}",
        "origin": Origin(device=f"device-{debit[-5:]}-{int(seldom)}", country=country),
    }


class Envelopes:
    """The envelope of each command of the set-up, sent by the administrator."""

    def __init__(self, now_ms: int, name: str = "set-up") -> None:
        self._now_ms = now_ms
        self._name = name
        self._count = 0

    def next(self) -> dict[str, Any]:
        self._count += 1
        return {
            "id": f"{self._name}-{self._count}",
            "book": BOOK,
            "actor": ADMINISTRATOR.user,
            "issued_at_ms": self._now_ms,
        }
