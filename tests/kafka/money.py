"""Money is conserved, account by account, book by book, and between books: a fold of postings and reserves.

It knows four shapes and nothing of why money moves: an account is opened, postings, reserves, an overdraft.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.kafka.evidence import Problem, Said


@dataclass(slots=True)
class Account:
    """Minor units of its currency."""

    kind: str
    currency: str
    status: str = "open"
    booked: int = 0
    held: int = 0
    overdraft: int = 0

    @property
    def available(self) -> int:
        return self.booked - self.held + self.overdraft


Accounts = dict[tuple[str, str], Account]
Crossing = tuple[str, str, int]
"""From which book, to which, and its number."""


@dataclass
class Money:
    """What the events come to."""

    accounts: Accounts = field(default_factory=dict)
    crossings: dict[Crossing, dict[str, Said]] = field(default_factory=lambda: defaultdict(dict))


def fold(money: Money, events: Iterable[Said]) -> Iterator[Problem]:
    """Apply events, a partition's in order.

    Finds: unbalanced, account_unknown, currency_differs, balance_off, held_off, overdrawn, crossing_differs.
    """
    for event in events:
        says = event.says
        match event.type:
            case "AccountOpened":
                account = Account(says["kind"], says["currency"], overdraft=says["overdraft"])
                money.accounts[says["book"], says["account"]] = account
            case "OverdraftSet":
                money.accounts[says["book"], says["account"]].overdraft = says["overdraft"]
            case "AccountClosed":
                money.accounts[says["book"], says["account"]].status = "closed"
            case _:
                pass
        if says.get("postings") or says.get("reserves"):
            yield from _moved(money.accounts, event)
        if event.type.startswith("CrossBook"):
            yield from _crossed(money.crossings, event)


def _moved(accounts: Accounts, event: Said) -> Iterator[Problem]:
    book = event.says["book"]
    touched: set[str] = set()
    sums: dict[str, int] = defaultdict(int)
    for posting in event.says.get("postings", ()):
        name = posting["account"]
        account = accounts.get((book, name))
        sums[posting["currency"]] += posting["amount"]
        if account is None:
            yield Problem("account_unknown", event.where, name)
            continue
        if posting["currency"] != account.currency:
            yield Problem("currency_differs", event.where, name)
        if posting["balance"] != account.booked + posting["amount"]:
            told = f"{account.booked} + {posting['amount']} is not {posting['balance']}"
            yield Problem("balance_off", event.where, f"{book}/{name}: {told}")
        account.booked = posting["balance"]
        touched.add(name)
    for currency, total in sums.items():
        if total:
            yield Problem("unbalanced", event.where, f"{total} {currency}")
    for name, amount, held in event.says.get("reserves", ()):
        account = accounts.get((book, name))
        if account is None:
            yield Problem("account_unknown", event.where, name)
            continue
        if held != account.held + amount:
            told = f"{account.held} + {amount} is not {held}"
            yield Problem("held_off", event.where, f"{book}/{name}: {told}")
        account.held = held
        touched.add(name)
    for name in sorted(touched):
        account = accounts[book, name]
        if account.kind == "customer" and account.available < 0:
            yield Problem("overdrawn", event.where, f"{book}/{name}: {account.available}")


_STEPS = {
    "CrossBookSent": "sent",
    "CrossBookReceived": "received",
    "CrossBookRefused": "refused",
    "CrossBookCompleted": "completed",
    "CrossBookReleased": "released",
    "CrossBookAcknowledged": "acknowledged",
}


def _crossed(crossings: dict[Crossing, dict[str, Said]], event: Said) -> Iterator[Problem]:
    says, step = event.says, _STEPS[event.type]
    names = (says["book"], says["to_book"]) if "to_book" in says else (says["from_book"], says["book"])
    crossing = crossings[names[0], names[1], says["number"]]
    if step in crossing:
        yield Problem("crossing_differs", event.where, f"{step} twice, before at {crossing[step].where}")
    crossing[step] = event


def conserved(money: Money, *, settled: bool) -> Iterator[Problem]:
    """At the end. settled: nothing is on its way any more. Finds: not_conserved, crossing_differs,
    crossing_open.
    """
    books: dict[tuple[str, str], int] = defaultdict(int)
    between: dict[str, int] = defaultdict(int)
    for (book, _), account in money.accounts.items():
        books[book, account.currency] += account.booked
        if account.kind == "inter_book":
            between[account.currency] += account.booked
    for (book, currency), total in books.items():
        if total:
            yield Problem("not_conserved", book, f"{total} {currency}")
    if settled:
        for currency, total in between.items():
            if total:
                yield Problem("not_conserved", "between the books", f"{total} {currency}")
    for (source, to, number), steps in money.crossings.items():
        yield from _agrees(f"{source} -> {to}, payment {number}", steps, settled=settled)


_BEFORE = {"received": "sent", "refused": "sent", "completed": "received", "released": "refused"}


def _agrees(where: str, steps: dict[str, Said], *, settled: bool) -> Iterator[Problem]:
    for step, before in _BEFORE.items():
        if step in steps and before not in steps:
            yield Problem("crossing_differs", where, f"{step}, and never {before}")
    if {"received", "refused"} <= steps.keys() or {"completed", "released"} <= steps.keys():
        yield Problem("crossing_differs", where, f"both ways: {', '.join(steps)}")
    amounts = {_amount(one) for name, one in steps.items() if name != "acknowledged"}
    if len(amounts) > 1:
        yield Problem("crossing_differs", where, f"amounts {amounts}")
    if settled and not ({"completed", "released"} & steps.keys() and "acknowledged" in steps):
        yield Problem("crossing_open", where, f"only {', '.join(steps)}")


def _amount(event: Said) -> tuple[Any, ...]:
    return event.says["amount"], event.says["currency"]
