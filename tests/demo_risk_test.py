"""The demo's month at the risk desk: every line comes as it was meant; the same month is the same book."""

from __future__ import annotations

from book.digest import book_digest
from detection.detector import Detector
from detection.table import TYPOLOGIES
from detection.triage import report
from engine.derivation import Host, in_memory
from engine.embedded import InProcess
from engine.genesis import begin
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST, wall_clock
from gateway.demo_risk import BOOK, RiskMonth
from gateway.demo_told import Line
from replay.redecide import redecide
from replay.verify import verify
from schemas.alerts import Alert, decode_alert
from schemas.books import Administrator


def a_month() -> tuple[RiskMonth, list[Line], list[Alert], InProcess, MemoryLog]:
    log, derived = MemoryLog(), MemoryLog()
    begin(log, [Administrator(person="person-admin", user="admin")], wall_clock())
    engine = InProcess(log)
    month = RiskMonth(engine.submit, "admin")
    lines = list(month.lines())
    host = Host(Detector(log), log, in_memory(derived))
    while host.step():
        pass
    alerts = [decode_alert(record.value) for record in derived.events(BEFORE_FIRST)]
    commands = [report(None, alert)[1] for alert in alerts]
    assert month.report(commands) == (len(commands), 0)
    assert month.report(commands) == (len(commands), 0), "reported again, each gets its first outcome"
    return month, lines + list(month.worked()), alerts, engine, log


def test_every_line_comes_as_it_was_meant_and_what_was_planted_is_found() -> None:
    month, lines, alerts, engine, log = a_month()
    assert [line for line in lines if not line.meant] == []
    planted = {(one.kind, one.account) for one in month.planted}
    assert planted <= {(one.kind, one.account) for one in alerts if one.source == "typology"}
    assert len(planted) == len(TYPOLOGIES)
    assert {one.movement for one in alerts if one.source == "rule"} == {"flat-deposit", "used-car"}
    verified = verify(log)
    assert verified.ok, verified.problems
    again = redecide(log)
    assert again.ok, again.differences
    cases = engine.book(BOOK).cases
    assert [one.status for one in cases.by_id.values()].count("closed") == 3
    assert cases.alerts.keys() == {one.id for one in alerts}
    told = " ".join(line.came_of for line in lines)
    assert "refused: The bank has declined this." in told


def test_the_same_month_is_the_same_book() -> None:
    (_, first, _, one, _), (_, second, _, other, _) = a_month(), a_month()
    assert first == second
    assert book_digest(one.book(BOOK)) == book_digest(other.book(BOOK))
