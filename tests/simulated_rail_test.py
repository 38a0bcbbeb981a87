"""The simulated rail: whole lives of payments, whatever it does, and the same again to the byte."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from gateway.simulated_rail import Conduct, SimulatedRail
from replay.redecide import redecide
from replay.verify import verify
from schemas.catalogue import encode
from schemas.message import Event
from schemas.rail_reports import RepairNeeded, ReportPayment
from schemas.rejections import CommandRejected
from tests.hosting import Site
from tests.payment_words import HOUR_MS, pay, rails, recall, repair, repairers, the_payment
from tests.story import Later, Said, Story, Word, account, balance, given, internal, story, transfer, when
from tests.story import book as a_book

TICK = transfer("nostro", "ticker", 1)
HOSTILE = Conduct(fails=200, returns=300, silent=250, unknown=100, twice=500, disordered=500)
FINAL = {"settled", "failed", "returned", "recalled"}


class Line:
    """Between a story and a rail: what happened goes one way, what is due the other."""

    def __init__(self, told: Story, rail: SimulatedRail) -> None:
        self.told = told
        self.rail = rail
        self.heard = 0
        self.said: list[ReportPayment] = []

    def hear(self) -> list[Event]:
        """Tell the rail what is new."""
        events = self.told.events()
        new, self.heard = events[self.heard :], len(events)
        for event in new:
            assert not self.rail.react(event)
        return new

    def let(self, ms: int) -> None:
        """Time goes by, and the rail says what it has to, when it has to."""
        until = self.told.now + ms
        self.hear()
        while (due := self.rail.next_ms) is not None and due <= until:
            self.told.now = max(self.told.now, due)
            for command in self.rail.due(due):
                assert isinstance(command, ReportPayment)
                self.said.append(command)
                self.told.send(encode(command))
            self.hear()
        self.told.now = until
        when(TICK)
        self.hear()


def bank(payments: int, conduct: Conduct, seed: int) -> Line:
    told = given(account("alice", balance=1_000_000), account("ticker"), rails(), repairers())
    when(*(pay(f"p{number}", 100 + number) for number in range(payments)))
    return Line(told, SimulatedRail("sepa", "sepa-gate", conduct, seed=seed))


def test_a_kind_rail_settles_everything() -> None:
    line = bank(20, Conduct(fails=0, returns=0, silent=0, unknown=0, twice=0, disordered=0), 1)
    line.let(HOUR_MS)
    assert {the_payment(f"p{number}").status for number in range(20)} == {"settled"}
    assert [one.status for one in line.said].count("accepted") == 20
    assert balance("sepa-transit") == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_hostile_rail_loses_no_money_and_everything_ends(seed: int) -> None:
    line = bank(30, HOSTILE, seed)
    for payment in ("p1", "p2", "p3"):
        when(recall(payment))
    reasons: Counter[str] = Counter()
    for _ in range(12):
        line.let(HOUR_MS + 1)
        reasons.update(one.reason for one in story().events() if isinstance(one, RepairNeeded))
        for payment, one in list(story().book.payments.by_id.items()):
            if one.repair is None:
                continue
            if one.status == "disputed":
                when(repair(payment, "charge", "rita"), repair(payment, "charge", "rolf"))
            elif one.status in {"dispatched", "accepted"}:
                when(repair(payment, "ask" if one.asked < 3 else "resend"))
                if isinstance(story().last[0], CommandRejected):
                    when(repair(payment, "settle", "rita"), repair(payment, "settle", "rolf"))
            else:
                when(repair(payment, "close", "rita"), repair(payment, "close", "rolf"))
    payments = story().book.payments.by_id.values()
    assert {one.status for one in payments} <= FINAL
    assert not [one for one in payments if one.repair]
    assert reasons
    out = sum(one.amount - one.returned for one in payments if one.settled)
    assert balance("alice") == 1_000_000 - out
    assert (balance("sepa-transit"), balance("sepa-suspense")) == (0, 0)


def test_the_same_seed_says_the_same_and_another_something_else() -> None:
    said = []
    for seed in (7, 7, 8):
        line = bank(20, HOSTILE, seed)
        line.let(HOUR_MS)
        said.append([encode(one) for one in line.said])
    assert said[0] == said[1] != said[2]


def test_a_rail_that_lost_its_memory_says_the_same_again_and_nothing_happens_twice() -> None:
    line = bank(20, HOSTILE, 3)
    line.let(20_000)
    when(recall("p0"))
    forgetful = SimulatedRail("sepa", "sepa-gate", HOSTILE, seed=3)
    forgetful.owed(story().book)
    line.hear()
    before = {encode(one[-1]) for one in line.rail._to_say}
    again = {encode(one[-1]) for one in forgetful._to_say}
    open_ones = {
        payment
        for payment, one in story().book.payments.by_id.items()
        if one.status in {"dispatched", "accepted"} and one.recall != "requested"
    }
    assert open_ones
    assert {one for one in before if any(f'"{name}"'.encode() in one for name in open_ones)} <= again
    line.rail = forgetful
    line.let(HOUR_MS)
    out = sum(one.amount - one.returned for one in story().book.payments.by_id.values() if one.settled)
    in_transit = sum(
        one.amount for one in story().book.payments.by_id.values() if one.status in {"dispatched", "accepted"}
    )
    suspense = balance("sepa-suspense")
    assert balance("alice") == 1_000_000 - out - in_transit - suspense
    assert balance("sepa-transit") == in_transit


# --- under a host -----------------------------------------------------------------------------------------


def told(site: Site, words: Word, envelope: Iterator[int]) -> None:
    """Have a bank set up, and its payments submitted, by commands as any client's."""
    if isinstance(words, Said):
        number = next(envelope)
        fields = {
            "id": f"c{number}",
            "book": "main",
            "actor": "root",
            "issued_at_ms": site.now,
            **words.fields,
        }
        (answer,) = site.tell(words.kind(**{**fields, **words.envelope}))
        assert not isinstance(answer, CommandRejected), answer
    elif not isinstance(words, Later):
        for word in words:
            told(site, word, envelope)


@pytest.mark.parametrize("seed", range(5))
def test_whoever_crashes_every_answer_comes_and_none_counts_twice(seed: int) -> None:
    """The host is killed and loses what it knows, commands get lost and come twice, time goes by."""
    conduct = Conduct(fails=300, returns=300, silent=0, unknown=0, twice=500, disordered=500)
    site = Site(["main"], chance=random.Random(seed))
    numbers = itertools.count()
    bank: list[Word] = [a_book(), internal("nostro"), account("alice", 10_000), rails()]
    told(site, bank, numbers)
    told(site, [pay(f"p{number}", 100) for number in range(12)], numbers)
    site.run(lambda: SimulatedRail("sepa", "sepa-gate", conduct, seed=seed))
    payments = site.book("main").payments.by_id.values()
    assert {one.status for one in payments} <= FINAL
    assert site.kills
    accounts = site.book("main").accounts
    out = sum(one.amount - one.returned for one in payments if one.settled)
    assert out
    assert accounts["alice"].booked == 10_000 - out
    assert accounts["sepa-transit"].booked == accounts["sepa-suspense"].booked == 0
    log = site.partition_of("main").log.reader()
    assert verify(log).ok
    assert redecide(log).ok
