"""How the two banks of `tests/random_business.py` begin: people, systems, documents, customers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from schemas.access import DefineRole, GrantRole, Permit, RegisterSystem
from schemas.accounts import OpenAccount
from schemas.books import OpenBook
from schemas.features import FEATURES
from schemas.message import Command
from schemas.parties import RegisterParty
from schemas.publishing import PublishDocument
from schemas.transfers import Transfer
from tests.crossbook_words import RELAYED
from tests.currencies_words import REVALUATION, pair, table

BEGAN_MS: Final = 1_704_103_200_000  # 1 January 2024, 10:00 UTC
HOUR_MS: Final = 3_600_000
BOOKS: Final = ("main", "side")
PEOPLE: Final = ("root", "vera", "otto")
OWN: Final = {
    "nostro": "nostro",
    "transit": "suspense",
    "parked": "suspense",
    "waiting": "suspense",
    "fees": "income",
    "ib": "inter_book",
    "interest-paid": "expense",
    "interest-received": "income",
    "payable": "accrued",
    "receivable": "accrued",
    "position-eur": "fx_position",
    "fx-gains": "income",
    "fx-losses": "expense",
    "revaluation": "fx_position",
}
"""The banks' own accounts, and their kinds."""


def opening() -> Iterator[Command]:
    """The commands that open both books, all of which are to be accepted."""
    numbers = itertools.count(1)

    def say(kind: type[Command], book: str, /, **fields: Any) -> Command:
        envelope = {"id": f"o{next(numbers)}", "book": book, "actor": "root", "issued_at_ms": BEGAN_MS}
        made: Command = msgspec.convert({**envelope, "type": kind.__name__, **fields}, kind)
        return made

    administrators = [{"person": f"person-{one}", "user": one} for one in PEOPLE]
    for book in BOOKS:
        yield say(
            OpenBook,
            book,
            name=book,
            currency="EUR",
            administrators=administrators,
            clock="commanded",
            reversible_days=3,
        )
        for account, kind in OWN.items():
            yield say(OpenAccount, book, account=account, currency="EUR", kind=kind)
        for account, kind in (("nostro-usd", "nostro"), ("position-usd", "fx_position")):
            yield say(OpenAccount, book, account=account, currency="USD", kind=kind)
        for system, words in (
            ("relay", [one.__name__ for one in RELAYED]),
            ("gate", ["ReportPayment", "ReportAlerts"]),
        ):
            yield say(RegisterSystem, book, system=system, purpose="tests")
            permits = [msgspec.to_builtins(Permit(command=one)) for one in words]
            yield say(DefineRole, book, role=f"{system}s", permits=permits)
            yield say(GrantRole, book, subject=system, role=f"{system}s")
        for kind, name, body in documents("side" if book == "main" else "main"):
            yield say(PublishDocument, book, kind=kind, document=name, version=1, body=body)
        for number in range(6):
            yield say(
                RegisterParty,
                book,
                party=f"p{number}",
                kind="person",
                name="N",
                status="active",
                segment=("retail", "vip")[number % 2],
            )
            product = "giro" if number < 4 else ""
            fields = {"account": f"a{number}", "party": f"p{number}", "product": product}
            yield say(OpenAccount, book, currency="EUR", overdraft=500 * (number % 2), **fields)
            yield say(Transfer, book, debit="nostro", credit=f"a{number}", amount=20_000, currency="EUR")
            usd = {"account": f"u{number}", "party": f"p{number}", "currency": "USD"}
            yield say(OpenAccount, book, **usd)
            yield say(Transfer, book, debit="nostro-usd", credit=f"u{number}", amount=5_000, currency="USD")


def documents(other: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What is in force: limits, a tariff, a product with interest, a rail, approvals, the other book."""
    eur = {"currency": "EUR"}
    yield "calendar", "target", {"name": "TARGET", "holidays": [{"date": "2024-01-05"}]}
    yield "suspense", "rules", {"accounts": {"EUR": "waiting"}, "owner": "ops", "ages_days": [1, 2]}
    yield (
        "limits",
        "retail",
        {
            "lines": [
                {"id": "daily", "measure": "sum", "most": 30_000, "window": "day", **eur},
                {"id": "few", "measure": "count", "most": 40, "window": "day"},
            ]
        },
    )
    priced = {"income": "fees", **eur}
    yield (
        "tariff",
        "prices",
        {
            "lines": [
                {"id": "each", "flat": 3, "package": "free", **priced},
                {"id": "part", "rate": "0.001", "only": {"least": 200}, **priced},
                {"id": "keeping", "flat": 10, "every": "month", **priced},
            ],
            "packages": [{"id": "free", "units": 5}],
        },
    )
    credit = {"tiers": [{"rate": "0.05"}], "booked_on": "interest-paid", "accrued_on": "payable"}
    debit = {"tiers": [{"rate": "0.11"}], "booked_on": "interest-received", "accrued_on": "receivable"}
    interest = [{"day_count": "ACT/365", "credit": credit, "debit": debit, **eur}]
    yield (
        "product",
        "giro",
        {"name": "Giro", "tariff": "prices", "limits": ["retail"], "interest": interest},
    )
    through = {"nostro": "nostro", "in_transit": "transit", "suspense": "parked", **eur}
    rail = {"name": "SEPA", "adapter": "gate", "currencies": [through], "resends": 2}
    yield "rail", "sepa", rail
    needs = [{"roles": ["administrator"], "count": 1}]
    line = {"commands": ["Transfer", "SubmitPayment", "SendToBook", "PlaceHold"], "needs": needs}
    yield (
        "approval_policy",
        "payments",
        {"lines": [{"id": "large", "when": {"amounts": {"EUR": 900}}, "expires_after_s": 80_000, **line}]},
    )
    clocks = [{"first_touch_m": 60, "resolution_m": 600}]
    items = [{"id": "call", "text": "Call"}, {"id": "ask", "text": "Ask", "required": False}]
    late = [{"priority": 5}, {"after_m": 300, "team": "first"}]
    rules: list[dict[str, Any]] = [
        {"kind": kind, "clocks": clocks, "late": late, "quality_per_mille": 500}
        for kind in ("fraud", "aml", "other")
    ]
    alone = [{"labels": ["suspicious"]}]
    rules.append({"kind": "dispute", "checklist": items, "second_person": alone})
    members = [{"user": one, "most_cases": 6, "skills": ["aml", ""]} for one in PEOPLE]
    hours = {"time_zone": "Europe/Berlin", "opens": "08:00", "closes": "18:00", "calendar": "target"}
    first = {"id": "first", "members": members, "pushes": other == "main"}
    yield "case_policy", "cases", {"hours": hours, "kinds": rules, "teams": [first], "report_within_days": 3}
    eurusd = pair("EUR/USD", "1.0800", buy="0.01", sell="0.01")
    yield "rates", "retail", table(eurusd, as_of="2024-01-01", revaluation=REVALUATION)
    yield "counterpart", other, {"book": other, "relay": "relay", "accounts": {"EUR": "ib"}}
    yield from risk()


def risk() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """A list, a model, live rules that review and decline now and then, and others in shadow."""
    watched = {"purpose": "watch", "of": "account", "entries": [{"id": "fees"}, {"id": "nostro"}]}
    yield "list", "watched", watched
    answers = {"made_by": "them", "approved_by": "us", "trained_on": "2023"}
    yield "model", "net", {"name": "Net", "role": "champion", **answers}
    every = [
        {"feature": name, "holds": True}
        if feature.unit == "yes_no"
        else {"feature": name, "at_least": 1_000, **({"currency": "EUR"} if feature.unit == "minor" else {})}
        for name, feature in FEATURES.items()
    ]
    groups = [{"any": every[start : start + 20]} for start in range(0, len(every), 20)]
    yield (
        "rules",
        "payments",
        {
            "currency": "EUR",
            "rules": [
                {"id": "large", "when": {"feature": "amount", "at_least": 250}, "points": 30},
                {"id": "often", "when": {"feature": "out_count_7d", "at_least": 2}, "points": 20},
                {"id": "again", "when": {"feature": "new_payee", "holds": True}, "points": 10},
                {"id": "watched", "when": {"on_list": "watched", "of": "counterparty"}, "points": 20},
                {"id": "net", "when": {"model": "net", "at_least": 100}, "points": 20},
                {"id": "some", "when": {"any": groups}, "points": 5, "stage": "shadow"},
            ],
            "thresholds": {"review": 30, "decline": 40},
            "reviews": {"within_ms": 7_200_000},
        },
    )
    stop = {"id": "stop", "when": {"feature": "amount", "at_least": 250}, "stop": True}
    yield "rules", "challenger", {"currency": "EUR", "stage": "shadow", "rules": [stop]}
