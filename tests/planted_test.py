"""What is planted is found, end to end: commands, engine, log, detector. Just below the figures it is not."""

from __future__ import annotations

import pytest

from commands.calendar import midnight_ms
from engine.log.memory import MemoryLog
from gateway import planted_documents
from gateway.demo_bank import FIRST_DAY, TIME_ZONE, DemoBank
from gateway.demo_words import Draw
from gateway.planted import Planted, Planter, commands, plant
from gateway.planted_parts import DAY_MS, HOUR_MS, Level
from gateway.planted_patterns import PATTERNS
from schemas.alerts import Alert
from schemas.documents.kinds import known, read
from schemas.documents.typologies import Typologies
from schemas.publishing import PublishDocument
from tests.demo_test import answered
from tests.detection_words import alerts_of
from tests.planting import ADMIN, BOOK, CASH, FUNDING, Bank

BEGAN_MS = midnight_ms(TIME_ZONE, FIRST_DAY)
KINDS = tuple(PATTERNS)


def test_the_figures_are_a_document() -> None:
    body = planted_documents.document()
    assert isinstance(read("typologies", body), Typologies)
    assert isinstance(read("typologies", planted_documents.document(planted_documents.DEMO)), Typologies)
    assert set(body) == set(PATTERNS) == set(Typologies.__struct_fields__)


def test_one_example_of_each_is_found_in_a_month() -> None:
    body = planted_documents.document(planted_documents.DEMO)
    plan = plant(BOOK, ADMIN, body, BEGAN_MS, 30, funding=FUNDING, cash=CASH)
    bank = Bank(BEGAN_MS, time_zone=TIME_ZONE)
    bank.tell(plan.commands)
    assert not bank.refused
    assert {one.kind for one in plan.planted} == set(PATTERNS)
    assert max(one.at_ms for one in plan.planted) < BEGAN_MS + 30 * DAY_MS
    found = {(alert.kind, alert.account) for alert in alerts_of(bank.log)}
    missed = [one.kind for one in plan.planted if (one.kind, one.account) not in found]
    assert missed == []
    again = plant(BOOK, ADMIN, body, BEGAN_MS, 30, funding=FUNDING, cash=CASH)
    assert again == plan, "the same words each time"


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_found_at_its_figures_and_beyond_and_not_below(kind: str) -> None:
    assert {level: bool(found_of(kind, level)) for level in ("below", "at", "above")} == {
        "below": False,
        "at": True,
        "above": True,
    }


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_told_of_once_and_says_what_it_saw(kind: str) -> None:
    bank, one = planted_alone(kind, "above")
    (alert,) = found_in(bank, one)
    assert alert.figures
    assert alert.words.endswith(".")
    assert alert.account not in alert.words
    assert 0 < alert.confidence <= 1_000
    assert alert.amount > 0
    assert alert.first_at <= alert.at <= one.at_ms
    assert bank.log.last_event_offset() >= max(seen.seq for seen in alert.evidence)


def planted_alone(kind: str, level: Level) -> tuple[Bank, Planted]:
    body = planted_documents.document()
    sets = known("typologies", body)
    assert isinstance(sets, Typologies)
    planter = Planter(sets, Draw(7), funding=FUNDING, cash=CASH)
    lead_ms = planter.lead_ms(kind)
    one = planter.plant(kind, level, BEGAN_MS + lead_ms + 10 * HOUR_MS, BEGAN_MS + 10 * HOUR_MS)
    bank = Bank(BEGAN_MS)
    bank.tell([watch(body)])
    bank.tell(commands([*planter.opening(BEGAN_MS), *one.steps], BOOK, ADMIN))
    assert not bank.refused
    return bank, one


def watch(body: dict[str, object]) -> PublishDocument:
    return PublishDocument(
        id="watch",
        book=BOOK,
        actor=ADMIN,
        issued_at_ms=BEGAN_MS,
        kind="typologies",
        document="watch",
        version=1,
        body=body,
    )


def found_of(kind: str, level: Level) -> list[Alert]:
    return found_in(*planted_alone(kind, level))


def found_in(bank: Bank, one: Planted) -> list[Alert]:
    return [alert for alert in alerts_of(bank.log) if (alert.kind, alert.account) == (one.kind, one.account)]


@pytest.mark.parametrize(("seed", "parties"), [(5, 20), pytest.param(1, 200, marks=pytest.mark.long)])
def test_the_demo_bank_has_one_example_of_each_and_everything_is_answered_as_it_is_meant(
    seed: int, parties: int
) -> None:
    bank = DemoBank(seed, parties, 31, planted=True)
    sents, answers, intake = answered(bank)
    assert [(sent.kind, sent.expected) for sent in sents] == [
        (sent.kind, answer) for sent, answer in zip(sents, answers, strict=True)
    ]
    book = intake.book(bank.book)
    assert {name: one.booked + one.overdraft for name, one in book.accounts.items()} == bank.balances()
    assert {one.kind for one in bank.planted} == set(PATTERNS)
    assert isinstance(intake.log, MemoryLog)
    found = {(alert.kind, alert.account) for alert in alerts_of(intake.log)}
    assert [one.kind for one in bank.planted if (one.kind, one.account) not in found] == []
