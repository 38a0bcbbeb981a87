"""The host of reactors: what a reactor answers is done once, whatever dies or gets lost on the way."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from book.state import Book
from engine.errors import LogCorrupt
from engine.fold import Folded
from engine.log.faults import Faults
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST, Out
from engine.reactor import LONGEST_SILENCE_MS, SILENCE_MS, Host
from engine.snapshots import write_snapshot
from schemas.access import DefineRole, GrantRole, Permit, RegisterSystem, SuspendActor
from schemas.accounts import OpenAccount
from schemas.books import OpenBook
from schemas.message import Command, Event
from schemas.rejections import CommandRejected, CommandRepeated
from schemas.transfers import ReverseTransfer, Transfer, TransferPosted, TransferReversed
from tests.hosting import Site
from tests.story import ROOT


class Returner:
    """Sends back whatever is paid to `trap`."""

    def __init__(self) -> None:
        self.events = 0

    def owed(self, book: Book) -> Sequence[Command]:
        return [
            self._return(book.id, seq, book.at)
            for day in book.posted
            for seq, posted in day.transfers.items()
            if posted.legs[1][0] == "trap" and not posted.reversed
        ]

    def react(self, event: Event) -> Sequence[Command]:
        self.events += 1
        if isinstance(event, TransferPosted) and event.credit == "trap":
            return [self._return(event.book, event.seq, event.at)]
        return []

    def due(self, now_ms: int) -> Sequence[Command]:
        return []

    def _return(self, book: str, seq: int, at: int) -> Command:
        return ReverseTransfer(
            id=f"return-{seq}", book=book, actor="returner", issued_at_ms=at, transfer=seq, reason="a trap"
        )


_numbers = itertools.count()


def told(site: Site, kind: type[Command], book: str = "main", /, **fields: Any) -> Event:
    """The answer to a command of the administrator."""
    envelope: dict[str, Any] = {"book": book, "actor": "root", "issued_at_ms": site.now}
    (answer,) = site.tell(kind(id=f"c{next(_numbers)}", **envelope, **fields))
    return answer


def bank(*carried: Sequence[str], **how: Any) -> Site:
    """A site whose books have the returner and a trap."""
    site = Site(*carried, **how)
    for book in (one for books in carried for one in books):
        told(site, OpenBook, book, name=book, currency="EUR", administrators=(ROOT,), clock="commanded")
        for account in ("nostro", "trap"):
            told(site, OpenAccount, book, account=account, currency="EUR", kind="nostro")
        told(site, RegisterSystem, book, system="returner", purpose="tests")
        told(site, DefineRole, book, role="returners", permits=(Permit(command="ReverseTransfer"),))
        told(site, GrantRole, book, subject="returner", role="returners")
    return site


def pay(site: Site, book: str = "main", to: str = "trap") -> Event:
    site.now += 1
    return told(site, Transfer, book, debit="nostro", credit=to, amount=5, currency="EUR")


def of(site: Site, kind: type[Event]) -> list[Event]:
    return [event for one in site.partitions for event in one.events() if type(event) is kind]


def test_what_happens_is_answered() -> None:
    site = bank(["main"])
    host = site.host(Returner())
    payment = pay(site)
    site.run(Returner, host)
    (reversed_,) = of(site, TransferReversed)
    assert (reversed_.transfer, reversed_.actor) == (payment.seq, "returner")  # type: ignore[attr-defined]
    assert site.book("main").accounts["trap"].booked == 0


def test_what_happened_while_nobody_looked_is_found_in_the_state() -> None:
    site = bank(["main"])
    for _ in range(3):
        pay(site)
    reactor = Returner()
    host = site.host(reactor)
    assert (host.waiting, reactor.events) == (3, 0)
    site.run(Returner, host)
    assert len(of(site, TransferReversed)) == 3
    assert site.host(Returner()).waiting == 0


def test_what_was_asked_twice_is_done_once() -> None:
    site = bank(["main"])
    first, second = site.host(Returner()), site.host(Returner())
    pay(site)
    first.step()
    second.step()
    while site.partitions[0].step():
        pass
    assert len(of(site, TransferReversed)) == 1
    assert len(of(site, CommandRepeated)) == 1
    first.step()
    second.step()
    assert (first.waiting, second.waiting) == (0, 0)


def test_silence_is_met_by_asking_again_ever_less_often() -> None:
    site = bank(["main"])
    pay(site)
    sent: list[int] = []
    host = Host(
        Returner(),
        [site.partitions[0].log.reader()],
        lambda outs: sent.append(site.now),
        clock=site.clock,
    )
    began = site.now
    for _ in range(100_000):
        host.step()
        site.now += 100
    waits = [later - earlier for earlier, later in itertools.pairwise(sent)]
    assert sent[0] == began
    assert waits[:4] == [SILENCE_MS, 2 * SILENCE_MS, 4 * SILENCE_MS, 8 * SILENCE_MS]
    assert set(waits[6:]) == {LONGEST_SILENCE_MS}


def test_a_clock_that_is_set_back_makes_nothing_wait_for_it() -> None:
    site = bank(["main"])
    pay(site)
    sent: list[Out] = []
    host = Host(Returner(), [site.partitions[0].log.reader()], sent.extend, clock=site.clock)
    host.step()
    site.now -= 10 * LONGEST_SILENCE_MS
    host.step()
    assert len(sent) == 2


def test_who_may_not_just_now_asks_again_later() -> None:
    site = bank(["main"])
    told(site, SuspendActor, subject="returner", reason="for a while")
    pay(site)
    host = site.host(Returner())
    for _ in range(5):
        host.step()
        site.partitions[0].step()
    (refused,) = of(site, CommandRejected)
    assert refused.reason == "not_permitted"  # type: ignore[attr-defined]
    assert host.waiting == 1
    site.now += SILENCE_MS
    host.step()
    site.partitions[0].step()
    assert len(of(site, CommandRejected)) == 2


def test_a_refusal_is_an_outcome_and_ends_the_asking() -> None:
    site = bank(["main"])
    payment = pay(site)
    told(site, ReverseTransfer, transfer=payment.seq, reason="by hand")
    host = site.host(Returner())
    assert host.waiting == 0
    other = pay(site)
    host.step()
    told(site, ReverseTransfer, transfer=other.seq, reason="by hand, and first")
    site.run(Returner, host)
    assert host.waiting == 0


def test_a_start_folds_from_the_newest_snapshot(tmp_path: Path) -> None:
    site = bank(["main"])
    log = site.partitions[0].log
    pay(site)
    folded = Folded()
    folded.apply(log.events(BEFORE_FIRST))
    write_snapshot(tmp_path, folded)
    pay(site)

    class Counting:
        """A log that counts the events that are read of it."""

        def __init__(self, log: MemoryLog) -> None:
            self.log, self.read = log, 0

        def events(self, after: int) -> Any:
            for record in self.log.events(after):
                self.read += 1
                yield record

    counting = Counting(log.reader())
    host = Host(Returner(), [counting], lambda outs: None, snapshots=[tmp_path])  # type: ignore[list-item]
    assert host.waiting == 2
    assert counting.read <= 3


def test_a_damaged_event_ends_the_host_with_its_place() -> None:
    site = bank(["main"])
    host = site.host(Returner())
    log = site.partitions[0].log
    log.commit([Out(b"main", b"{")], BEFORE_FIRST + log.last_command_offset() + 1, site.now)
    with pytest.raises(LogCorrupt, match=r"offset \d+ cannot be decoded"):
        host.step()


@pytest.mark.parametrize("seed", range(20))
def test_each_event_is_answered_once_whatever_crashes(seed: int) -> None:
    """The host dies before and after it sends, engines crash around their commits, records come twice or get
    lost; over one log and over two.
    """
    chance = random.Random(seed)
    faults = [Faults(seed=seed + one, commit_rate=0.15, submit_rate=0.2) for one in range(2)]
    books = (["main", "side"],) if seed % 2 else (["main"], ["side"])
    site = bank(*books, faults=faults[: len(books)], chance=chance)
    host = site.host(Returner())
    for _ in range(20):
        pay(site, chance.choice(("main", "side")), chance.choice(("trap", "trap", "nostro2")))
        host = site.run(Returner, host, steps=chance.randrange(6))
    site.run(Returner, host)
    paid = {(one.book, one.seq) for one in of(site, TransferPosted) if one.credit == "trap"}  # type: ignore[attr-defined]
    returned = [(one.book, one.transfer) for one in of(site, TransferReversed)]  # type: ignore[attr-defined]
    assert len(paid) > 5
    assert sorted(returned) == sorted(paid)
    assert site.kills > 0
    assert sum(one.crashes for one in site.partitions) > 0
