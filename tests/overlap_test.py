"""A worker that decides the next batch while the log takes the one before: same events, and none is lost."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from engine.errors import Fenced, Uncertain
from engine.genesis import begin
from engine.log.faults import Crash, Fault, Faults
from engine.log.memory import MemoryLog
from engine.log.records import Out, Record
from engine.pipeline import Answer
from engine.worker import Worker
from replay.redecide import redecide
from replay.verify import verify
from schemas.accounts import OpenAccount
from schemas.books import Administrator, OpenBook
from schemas.catalogue import decode_event, encode
from schemas.message import Command
from schemas.transfers import Transfer

T0 = 1_800_000_000_000


def out(command: Command) -> Out:
    return Out(command.book.encode(), encode(command))


def upstream(chance: random.Random, count: int) -> Iterator[Out]:
    """A book, and transfers from its nostro, some of them twice."""
    administrator = Administrator(person="p", user="admin")
    envelope: dict[str, Any] = {"book": "main", "actor": "admin", "issued_at_ms": T0}
    yield out(
        OpenBook(
            id="open",
            name="Main",
            currency="EUR",
            administrators=(administrator,),
            clock="commanded",
            **envelope,
        )
    )
    for name in ("a", "b", "c"):
        yield out(OpenAccount(id=f"open-{name}", account=name, kind="nostro", currency="EUR", **envelope))
    sent: list[Out] = []
    for number in range(count):
        debit, credit = chance.sample("abc", 2)
        sent.append(
            out(
                Transfer(
                    id=f"t{number}", debit=debit, credit=credit, amount=number + 1, currency="EUR", **envelope
                )
            )
        )
        yield sent[-1]
        if chance.random() < 0.1:
            yield chance.choice(sent)


class Told:
    """What a worker answered, and that each answer stood in the log by then."""

    def __init__(self) -> None:
        self.log: MemoryLog | None = None
        self.answers: dict[int, Answer] = {}

    def __call__(self, records: Sequence[Record], answers: Sequence[Answer]) -> None:
        assert self.log is not None
        stored = {record.value for record in self.log.reader().events(-1)}
        for record, answer in zip(records, answers, strict=True):
            assert stored.issuperset(answer), "nobody is answered before it is durable"
            assert self.answers.setdefault(record.offset, answer) == answer


def begun(faults: Faults | None = None) -> MemoryLog:
    log = MemoryLog(clock=lambda: T0, faults=faults or Faults())
    begin(log, [Administrator(person="p", user="admin")], T0)
    return log


def drain(worker: Worker) -> None:
    while worker.step() or worker.waits():
        pass


@pytest.mark.parametrize("batch", [1, 3, 50])
def test_it_decides_what_a_worker_decides_that_waits_for_each_commit(batch: int) -> None:
    commands = list(upstream(random.Random(batch), 100))
    logs = []
    for overlapped in (False, True):
        log = begun()
        log.submit(commands)
        worker = Worker(log, batch=batch, overlapped=log if overlapped else None, clock=lambda: T0)
        drain(worker)
        worker.close()
        logs.append([record.value for record in log.events(-1)][1:])
    assert logs[0] == logs[1]


@pytest.mark.parametrize("seed", range(40))
def test_whatever_befalls_its_commits_every_command_is_answered_once(seed: int) -> None:
    chance = random.Random(seed)
    among = [fault for fault in Fault if fault is not Fault.FENCED]
    commands = list(upstream(chance, 150))
    log = begun()
    log.faults = Faults(seed=seed, commit_rate=0.15, among=among)
    log.submit(commands)
    told = Told()
    recoveries = 0
    while True:
        told.log = log
        worker = Worker(log, batch=chance.randint(1, 9), answered=told, overlapped=log, clock=lambda: T0)
        try:
            drain(worker)
            break
        except (Uncertain, Crash):
            recoveries += 1
            log = log.reopen(keep_pending=True)
        finally:
            worker.close()
    assert recoveries > 0, f"seed {seed} met no fault"
    causes = [event.cause for record in log.events(-1) if (event := decode_event(record.value)).cause >= 0]
    assert list(dict.fromkeys(causes)) == sorted(causes[1:]) == list(range(len(commands))), f"seed {seed}"
    assert verify(log).ok
    assert redecide(log.reader()).ok


def test_a_writer_that_was_overtaken_answers_nothing_of_what_it_had_begun() -> None:
    log = begun()
    log.submit(list(upstream(random.Random(1), 20)))
    told = Told()
    told.log = log
    worker = Worker(log, batch=5, answered=told, overlapped=log, clock=lambda: T0)
    worker.step()
    answered = len(told.answers)
    next_one = log.reopen(keep_pending=True)
    drain(Worker(next_one, clock=lambda: T0))
    with pytest.raises(Fenced):
        drain(worker)
    worker.close()
    assert len(told.answers) <= max(answered, 5)
