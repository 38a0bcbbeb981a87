"""A simulated rail under `daybook up`: a process of its own, with its own key, that may be killed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.home import Home
from engine.log.recorder import RecorderLog
from engine.log.records import BEFORE_FIRST
from schemas.catalogue import decode_event
from schemas.message import Event
from schemas.rail_reports import PaymentFailed, PaymentSettled
from tests.payment_words import SEPA
from tests.terminal import Terminal, Up, kill, ndjson, until

PAYMENTS = 12


@pytest.fixture
def site() -> Iterator[Terminal]:
    folder = Path(tempfile.mkdtemp(prefix="daybook-", dir="/tmp"))
    terminal = Terminal(
        folder,
        DAYBOOK_SIMULATED_RAIL="sepa=sepa-gate",
        DAYBOOK_SIMULATED_RAIL_CONDUCT='{"most_ms": 1300, "silent": 0, "unknown": 0, "fails": 600}',
    )
    terminal.ok("init", "--book", "main", "--second-admin", "")
    yield terminal
    shutil.rmtree(folder, ignore_errors=True)


def opening() -> list[dict[str, Any]]:
    """A customer with a deposit, the rail and its accounts, and the system that speaks for it."""
    own = (("nostro", "nostro"), ("sepa-transit", "suspense"), ("sepa-suspense", "suspense"))
    commands: list[dict[str, Any]] = [
        *({"type": "OpenAccount", "account": one, "kind": kind, "currency": "EUR"} for one, kind in own),
        {"type": "RegisterParty", "party": "p1", "kind": "person", "name": "Ada", "status": "active"},
        {"type": "OpenAccount", "account": "a1", "party": "p1", "currency": "EUR"},
        {"type": "Transfer", "debit": "nostro", "credit": "a1", "amount": 100_000, "currency": "EUR"},
        {"type": "RegisterSystem", "system": "sepa-gate", "purpose": "speaks for the rail"},
        {"type": "DefineRole", "role": "rails", "permits": [{"command": "ReportPayment"}]},
        {"type": "GrantRole", "subject": "sepa-gate", "role": "rails"},
        {"type": "PublishDocument", "kind": "rail", "document": "sepa", "version": 1, "body": SEPA},
    ]
    return [{"id": f"set-up-{number}", "book": "main", **one} for number, one in enumerate(commands)]


def submitted() -> str:
    payee = {"name": "Paula", "account": "DE02120300000000202051", "country": "DE"}
    given = {"type": "SubmitPayment", "book": "main", "account": "a1", "currency": "EUR", "rail": "sepa"}
    return ndjson(
        [
            {**given, "id": f"pay-{number}", "payment": f"x{number}", "amount": 10 + number, "payee": payee}
            for number in range(PAYMENTS)
        ]
    )


def ended(site: Terminal) -> dict[type[Event], set[str]]:
    """Which payments the rail has settled, and which have failed."""
    found: dict[type[Event], set[str]] = {PaymentSettled: set(), PaymentFailed: set()}
    with RecorderLog.sqlite(Home(site.folder / ".daybook").log, writer=False) as log:
        for record in log.events(BEFORE_FIRST):
            event = decode_event(record.value)
            if isinstance(event, PaymentSettled | PaymentFailed):
                found[type(event)].add(event.payment)
    return found


@pytest.mark.long
def test_payments_come_to_their_end_although_the_rail_is_killed(site: Terminal) -> None:
    site.ok("submit", "-", "--stamp", stdin=ndjson(opening()))
    up = Up(site)
    try:
        assert "Made a key for the system sepa-gate" in up.text()
        site.ok("submit", "-", "--stamp", stdin=submitted())
        until(lambda: "rail" in up.children())
        kill(up.children()["rail"])
        until(lambda: len(set().union(*ended(site).values())) == PAYMENTS)
        assert up.stop() == 0
    finally:
        if up.process.poll() is None:
            up.kill_all()
    settled, failed = ended(site).values()
    assert settled
    assert failed
    assert not settled & failed
    assert site.ok("replay", "verify", "--json").last["ok"]


@pytest.mark.long
def test_a_rail_that_cannot_be_is_refused_in_a_sentence(site: Terminal) -> None:
    for setting, value in (
        ("DAYBOOK_SIMULATED_RAIL", "sepa"),
        ("DAYBOOK_SIMULATED_RAIL_CONDUCT", '{"speed": 5}'),
        ("DAYBOOK_SIMULATED_RAIL_CONDUCT", '{"fails": -5}'),
    ):
        refused = site.run("up", **{setting: value})
        assert refused.status == 2
        assert setting in refused.err
