"""The demo's day in a bank: every line comes as it was meant, and the same day is the same book."""

from __future__ import annotations

from book.digest import book_digest
from engine.embedded import InProcess
from engine.genesis import begin
from engine.log.memory import MemoryLog
from engine.log.records import wall_clock
from gateway.demo_business import BOOK, BusinessDay
from gateway.demo_told import Line
from replay.redecide import redecide
from replay.verify import verify
from schemas.books import Administrator


def a_day() -> tuple[list[Line], InProcess, MemoryLog]:
    log = MemoryLog()
    begin(log, [Administrator(person="person-admin", user="admin")], wall_clock())
    engine = InProcess(log)
    return list(BusinessDay(engine.submit, "admin").lines()), engine, log


def test_every_line_comes_as_it_was_meant_and_the_book_is_proven() -> None:
    lines, engine, log = a_day()
    assert [line for line in lines if not line.meant] == []
    verified = verify(log)
    assert verified.ok, verified.problems
    again = redecide(log)
    assert again.ok, again.differences
    accounts = engine.worker.folded.partition.books[BOOK].accounts
    # 2 x 14,000.00 - 500.00 - 0.50 - 16,000.00 - 10.00 - 95.00 - 1,000.00 - 900.00: the deposit came back.
    paid = 50_000 + 50 + 1_600_000 + 1_000 + 9_500 + 100_000 + 90_000 + 20_000
    # 70.00 came in by way of suspense, and the standing order's first 200.00 went out, free.
    assert accounts["clara"].booked == 2_800_000 + 7_000 - paid
    assert accounts["clara-usd"].booked == 107_460  # 1,000.00 x 1.0800 x (1 - 0.005)
    assert accounts["position-usd"].booked == -107_460
    assert accounts["clara"].held == 0
    assert accounts["fee-income"].booked == 50 + 1_000
    assert accounts["david"].booked == 1_670_000
    assert accounts["sepa-transit"].booked == accounts["suspense"].booked == 0
    said = " ".join(line.came_of for line in lines)
    for what in (
        "waits for a second person",
        "document published",
        "limit raised",
        "fee 10.00 EUR",
        "payment returned",
    ):
        assert what in said, what


def test_the_same_day_is_the_same_book() -> None:
    (first, one, _), (second, other, _) = a_day(), a_day()
    assert first == second
    books = [engine.worker.folded.partition.books[BOOK] for engine in (one, other)]
    assert book_digest(books[0]) == book_digest(books[1])
