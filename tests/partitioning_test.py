"""Which partition a book is on, as every client of the contract has it; and what stands elsewhere."""

import random

import pytest
from aiokafka.partitioner import DefaultPartitioner  # type: ignore[import-untyped]

from book.state import SYSTEM_BOOK
from engine.admission import Admission
from engine.genesis import begin
from engine.log.memory import MemoryLog
from engine.log.partitioning import ONLY, Place, partition_of
from engine.log.records import BEFORE_FIRST, Out
from engine.worker import Worker
from replay.redecide import redecide
from schemas.books import Administrator, OpenBook
from schemas.catalogue import decode_event, encode
from schemas.rejections import CommandRejected

T0 = 1_700_000_000_000
ADA = Administrator(person="p", user="ada")


def test_the_partition_is_the_one_that_other_clients_take() -> None:
    theirs = DefaultPartitioner()
    chance = random.Random(5)
    for length in range(64):
        key = chance.randbytes(length)
        for partitions in (1, 2, 3, 32, 97):
            every = list(range(partitions))
            assert partition_of(key, partitions) == theirs(key, every, every)


@pytest.mark.parametrize(("key", "partition"), [(b"main", 23), (b"", 25), ("Zürich".encode(), 17)])
def test_the_partition_of_a_book_never_changes(key: bytes, partition: int) -> None:
    assert partition_of(key, 32) == partition


def test_a_book_is_opened_nowhere_but_on_its_partition() -> None:
    """Neither its key nor its name is wrong: it is the record that stands elsewhere."""
    here = partition_of(b"main", 32)
    for place, opened in ((Place(here, 32), True), (Place((here + 1) % 32, 32), False), (ONLY, True)):
        log = MemoryLog(clock=lambda: T0)
        log.place = place
        begin(log, [ADA], T0)
        worker = Worker(log, admission=Admission(), clock=lambda: T0)
        command = OpenBook(
            id="1",
            name="Main",
            book="main",
            actor="ada",
            issued_at_ms=T0,
            currency="EUR",
            time_zone="UTC",
            clock="commanded",
            administrators=(ADA,),
        )
        log.submit([Out(b"main", encode(command))])
        worker.step()
        event = decode_event(list(log.events(BEFORE_FIRST))[-1].value)
        assert ("main" in worker.pipeline.partition.books) == opened
        if not opened:
            assert isinstance(event, CommandRejected)
            assert (event.reason, event.book) == ("wrong_partition", SYSTEM_BOOK)
            assert event.figures == {"book": "main", "id": "1"}
        reader = log.reader()
        reader.place = place
        assert redecide(reader).ok
