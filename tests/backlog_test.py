"""Back-pressure: where too much waits, ordinary commands are answered `busy` and urgent ones are decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from book.digest import partition_digest
from commands.decide import DECIDE
from commands.urgent import BECAUSE, URGENT
from engine.backlog import Backlog
from engine.errors import Busy
from engine.fold import Folded
from engine.genesis import begin
from engine.log.kafka import KafkaCommands, KafkaLog
from engine.log.memory import MemoryLog
from engine.log.partitioning import ONLY
from engine.log.recorder import RecorderLog
from engine.log.records import BEFORE_FIRST, Out, Record, wall_clock
from engine.log.topics import Kafka
from engine.reactor import ASKED_AGAIN
from engine.worker import Worker
from replay.redecide import redecide
from replay.verify import verify
from schemas.accounts import OpenAccount
from schemas.books import Administrator, OpenBook
from schemas.catalogue import decode_event, encode
from schemas.message import Command, Event
from schemas.rejections import UNREMEMBERED, WAITED_MS, CommandRejected, CommandRepeated, sentence
from schemas.stops import StopPayments
from schemas.transfers import Transfer, TransferPosted
from tests.story import ROOT as BOSS

BEGAN_MS = 1_715_767_200_000
BOUND_S = 10.0


class Partition:
    """A log in memory with books, and a worker that bounds what waits. Time is the test's."""

    def __init__(
        self, *books: str, clock: str = "wall", most_commands: int = 1_000_000, batch: int = 100
    ) -> None:
        self.now = BEGAN_MS
        self.log = MemoryLog(clock=lambda: self.now)
        begin(self.log, [BOSS], self.now)
        self.log = self.log.reopen()
        self.outcomes: list[Event] = []
        self.numbers = 0
        self.worker = Worker(
            self.log,
            clock=lambda: self.now,
            batch=batch,
            backlog=Backlog(self.log, BOUND_S, most_commands),
            answered=lambda _, answers: self.outcomes.extend(decode_event(answer[0]) for answer in answers),
        )
        self.work()  # there is nothing yet, so that what comes now says how the clocks stand
        for book in books:
            self.send(opening(book, self.now, clock))
            for account in ("nostro", "fund"):
                self.send(self.command(OpenAccount, book, account=account, kind="nostro", currency="EUR"))
        self.work()
        assert not self.refused()
        self.outcomes.clear()

    def command(self, said: type[Command], book: str, **fields: Any) -> Command:
        self.numbers += 1
        return said(id=f"c{self.numbers}", book=book, actor="root", issued_at_ms=self.now, **fields)

    def transfer(self, book: str) -> Command:
        return self.command(Transfer, book, debit="nostro", credit="fund", amount=1, currency="EUR")

    def stop(self, book: str) -> Command:
        return self.command(StopPayments, book, stop="all", scope="book", reason="test")

    def send(self, *commands: Command) -> None:
        self.log.submit([Out(command.book.encode(), encode(command)) for command in commands])

    def work(self) -> list[Event]:
        while self.worker.step():
            pass
        return self.outcomes

    def refused(self) -> list[Event]:
        return [one for one in self.outcomes if isinstance(one, CommandRejected)]

    def prove(self) -> None:
        """A replay folds to the same, deciding again gives the same, and nothing is found wrong."""
        folded = Folded()
        folded.apply(self.log.events(BEFORE_FIRST))
        assert partition_digest(folded.partition) == partition_digest(self.worker.folded.partition)
        again = redecide(self.log.reader())
        assert again.ok, again.differences
        assert verify(self.log.reader()).ok


def opening(book: str, now_ms: int, clock: str = "wall") -> OpenBook:
    return OpenBook(
        id=f"open-{book}",
        book=book,
        actor="root",
        issued_at_ms=now_ms,
        name=book,
        currency="EUR",
        time_zone="UTC",
        clock=clock,  # type: ignore[arg-type]
        administrators=(Administrator(person="ruth", user="root", name="Ruth Root"),),
    )


def reasons(outcomes: Sequence[Event]) -> list[str]:
    return [getattr(one, "reason", "") if isinstance(one, CommandRejected) else "" for one in outcomes]


def test_nobody_is_refused_below_the_bound() -> None:
    one = Partition("main")
    one.send(*[one.transfer("main") for _ in range(500)])
    one.now += int(BOUND_S * 1_000)
    assert reasons(one.work()) == [""] * 500
    one.prove()


def test_what_waited_too_long_is_answered_busy_and_urgent_commands_are_decided() -> None:
    one = Partition("main")
    urgent = one.stop("main")
    one.send(*[one.transfer("main") for _ in range(150)], urgent, *[one.transfer("main") for _ in range(150)])
    one.now += int(BOUND_S * 1_000) + 1
    outcomes = one.work()
    busy = [event for event in outcomes if event.command != urgent.id]
    assert reasons(busy) == ["busy"] * 300
    assert all(isinstance(event, CommandRejected) and event.figures == {WAITED_MS: 10_001} for event in busy)
    (decided,) = (event for event in outcomes if event.command == urgent.id)
    assert type(decided).__name__ == "PaymentsStopped"
    one.prove()


@pytest.mark.parametrize("over", [1.5, 3.0])
def test_the_same_command_is_decided_when_there_is_room_again(over: float) -> None:
    one = Partition("main")
    sent = [one.transfer("main") for _ in range(120)]
    one.send(*sent)
    one.now += int(over * BOUND_S * 1_000)
    assert reasons(one.work()) == ["busy"] * 120
    one.outcomes.clear()
    one.send(*sent)
    assert all(isinstance(event, TransferPosted) for event in one.work())
    one.outcomes.clear()
    # And one that was decided is told again, however much waits.
    one.send(*sent)
    one.now += int(over * BOUND_S * 1_000)
    assert all(isinstance(event, CommandRepeated) and not event.reason for event in one.work())
    one.prove()


def test_too_many_that_wait_are_too_many_however_young_they_are() -> None:
    one = Partition("main", most_commands=250)
    one.send(*[one.transfer("main") for _ in range(600)])
    said = reasons(one.work())
    # 600, 500, 400 and 300 waited as batches of 100 were taken; then few enough did.
    assert said == ["busy"] * 400 + [""] * 200
    one.prove()


def test_who_sends_little_does_not_pay_for_who_sends_much() -> None:
    one = Partition("much", "little")
    for _ in range(10):
        one.send(*[one.transfer("much") for _ in range(19)], one.transfer("little"))
    one.now += int(1.5 * BOUND_S * 1_000)
    outcomes = one.work()
    assert {event.book for event in outcomes if isinstance(event, TransferPosted)} == {"little"}
    assert {event.book for event in one.refused()} == {"much"}
    assert len(one.refused()) == 190
    one.outcomes.clear()
    for _ in range(10):
        one.send(*[one.transfer("much") for _ in range(19)], one.transfer("little"))
    one.now += int(BOUND_S * 1_000 * 2) + 1
    one.work()
    assert {event.book for event in one.refused()} == {"much", "little"}, "far over the bound all wait"
    one.prove()


def test_a_book_of_commanded_time_is_never_refused() -> None:
    one = Partition("import", clock="commanded", most_commands=10)
    one.send(*[one.transfer("import") for _ in range(300)])
    one.now += 365 * 86_400_000
    assert reasons(one.work()) == [""] * 300
    one.prove()


def test_what_may_not_be_done_is_said_before_that_there_is_no_room() -> None:
    one = Partition("main")
    stranger = Transfer(
        id="x",
        book="main",
        actor="nobody",
        issued_at_ms=one.now,
        debit="nostro",
        credit="fund",
        amount=1,
        currency="EUR",
    )
    one.send(stranger)
    one.now += 60_000
    assert reasons(one.work()) == ["not_permitted"]
    one.prove()


def test_a_busy_that_the_engine_made_up_is_found_where_it_was_the_books_to_say() -> None:
    """redecide takes only what the backlog caused; a cap that was not reached is decided again."""
    one = Partition("main")
    one.send(one.transfer("main"))
    one.worker.pipeline.refusing = frozenset({b"main"})
    one.worker.backlog = None
    (event,) = one.work()
    assert reasons([event]) == ["busy"]
    records = [*one.log.events(BEFORE_FIRST)]

    class Forged:
        place = ONLY

        def events(self, after: int) -> Iterator[Record]:
            for record in records:
                if record.offset > after:
                    value = record.value.replace(b'"waited_ms":0', b'"remembered":0')
                    yield Record(record.key, value, record.offset, record.time_ms, record.headers)

        def commands(self, after: int, limit: int, wait_s: float) -> Sequence[Record]:
            return one.log.reader().commands(after, limit, wait_s)

        def last_command_offset(self) -> int:
            return one.log.last_command_offset()

    assert redecide(one.log.reader()).ok
    forged = redecide(Forged())
    assert [found.what for found in forged.differences] == ["the command is decided differently"]


def test_every_urgent_type_is_one_and_each_stands_once() -> None:
    assert set(DECIDE) > URGENT
    assert sum(len(kinds) for kinds in BECAUSE.values()) == len(URGENT)


def test_what_moves_money_out_is_not_urgent() -> None:
    spending = {
        "Transfer",
        "SubmitPayment",
        "SubmitBulk",
        "Exchange",
        "SendToBook",
        "PostEntries",
        "OpenBook",
    }
    assert not spending & {kind.__name__ for kind in URGENT}


def test_the_answer_is_asked_again_by_reactors_and_forgotten_by_books() -> None:
    assert "busy" in ASKED_AGAIN
    assert "busy" in UNREMEMBERED
    assert "5000 ms" in sentence("busy", {WAITED_MS: 5_000})
    assert "remembers 4 ids" in sentence("busy", {"remembered": 4})


def test_the_embedded_queue_is_bounded_at_the_door_too(tmp_path: Path) -> None:
    with RecorderLog.sqlite(tmp_path / "log.sqlite", queue_limit=10, submit_timeout_s=0.05) as log:
        command = Out(b"main", encode(opening("main", wall_clock())))
        log.submit([command] * 10)
        assert log.commands_behind(BEFORE_FIRST) == 10
        with pytest.raises(Busy):
            log.submit([command])


def test_on_kafka_what_waits_in_the_topic_is_bounded(kafka: Kafka) -> None:
    """Commands that stood in the topic while no engine ran, by their append time; urgent ones are decided."""
    now = wall_clock()
    with KafkaLog(kafka, writer=True) as log:
        begin(log, [BOSS], now)
    with KafkaLog(kafka, writer=True) as log:  # which waits until what was committed can be read
        first = Worker(log)
        sender = KafkaCommands(kafka, 0)
        outs: list[Command] = [opening("main", now)]
        outs += [_open_account("main", name, now) for name in ("nostro", "fund")]
        sender.submit([Out(b"main", encode(one)) for one in outs])
        while first.position < 2:
            first.step(1.0)
        first.close()
        commands: list[Command] = [_transfer(f"t{number}", now) for number in range(400)]
        commands[200] = StopPayments(
            id="stop",
            book="main",
            actor="root",
            issued_at_ms=now,
            stop="all",
            scope="book",
            reason="test",
        )
        offsets = sender.submit([Out(b"main", encode(one)) for one in commands])
        outcomes: list[Event] = []
        late = Worker(
            log,
            clock=lambda: wall_clock() + 60_000,
            batch=50,
            backlog=Backlog(log, BOUND_S, 1_000_000),
            answered=lambda _, answers: outcomes.extend(decode_event(answer[0]) for answer in answers),
        )
        while late.position < offsets[-1]:
            late.step(1.0)
        late.close()
        sender.close()
        assert reasons(outcomes) == ["busy"] * 200 + [""] + ["busy"] * 199
        assert log.commands_behind(late.position) == 0
    with KafkaLog(kafka) as reader:
        again = redecide(reader)
        assert again.ok, again.differences
        assert again.as_recorded >= 399


def _open_account(book: str, name: str, now: int) -> Command:
    return OpenAccount(
        id=f"open-{name}",
        book=book,
        actor="root",
        issued_at_ms=now,
        account=name,
        kind="nostro",
        currency="EUR",
    )


def _transfer(id: str, now: int) -> Command:
    return Transfer(
        id=id,
        book="main",
        actor="root",
        issued_at_ms=now,
        debit="nostro",
        credit="fund",
        amount=1,
        currency="EUR",
    )


@pytest.mark.parametrize("apart_ms", [-600_000, 600_000])
def test_a_clock_that_is_not_the_logs_refuses_nobody_and_hides_nothing(apart_ms: int) -> None:
    log = MemoryLog(clock=lambda: BEGAN_MS)
    backlog = Backlog(log, BOUND_S, 1_000)

    def record(offset: int, time_ms: int) -> Record:
        return Record(b"main", b"{}", offset, time_ms)

    late, new = [record(0, BEGAN_MS)], [record(3, BEGAN_MS)]
    assert backlog.now_ms(late, BEGAN_MS, fresh=False) == BEGAN_MS, "others waited, so it says nothing"
    assert backlog.now_ms(new, BEGAN_MS + apart_ms, fresh=True) == BEGAN_MS
    for fresh in (True, False):
        now_ms = backlog.now_ms(new, BEGAN_MS + apart_ms + 20_000, fresh=fresh)
        assert now_ms == BEGAN_MS + 20_000, "what is late is late"
