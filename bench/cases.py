"""`python -m bench.cases [CASES]`: what a case costs: memory while it is open and when it is closed, how fast
alerts come in, and how long it takes to find the next one in a queue of that length.

Three alerts a case, all through the real worker over a log in memory; 1,000 parties.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

from bench.memory import size_of
from book.state import Book
from engine.genesis import begin
from engine.log.memory import MemoryLog
from engine.log.records import Out
from engine.worker import Worker
from schemas.alerts import Alert, alert_id
from schemas.books import Administrator, OpenBook
from schemas.case_commands import ConfirmDecision, ProposeDecision, TakeNextCase
from schemas.catalogue import encode
from schemas.message import Command
from schemas.parties import RegisterParty
from schemas.publishing import PublishDocument
from schemas.reported import ReportAlerts

NOW_MS = 1_715_767_200_000
PARTIES = 1_000
ALERTS = 3
CLOSED = 2_000
POLICY = {
    "hours": {"time_zone": "Europe/Berlin", "opens": "08:00", "closes": "18:00"},
    "kinds": [
        {
            "kind": "aml",
            "clocks": [
                {"from_priority": 500, "first_touch_m": 30, "resolution_m": 240},
                {"first_touch_m": 480, "resolution_m": 4_800},
            ],
            "second_person": [{"actions": ["file_report"]}],
        }
    ],
}


class Desk:
    """A worker over a log in memory, and what is said to it."""

    def __init__(self) -> None:
        self.log = MemoryLog(clock=lambda: NOW_MS)
        people = [Administrator(person=f"person-{one}", user=one) for one in ("root", "second")]
        begin(self.log, people, NOW_MS)
        self.worker = Worker(self.log, clock=lambda: NOW_MS)
        self.told = 0
        envelope = self.envelope()
        opening = OpenBook(**envelope, name="B", currency="EUR", administrators=tuple(people))  # type: ignore[arg-type]
        self.send([opening])
        self.send(
            [
                PublishDocument(**self.envelope(), kind="case_policy", document="p", version=1, body=POLICY),  # type: ignore[arg-type]
                *(
                    RegisterParty(**self.envelope(), party=f"p{n}", kind="person", name="N", status="active")  # type: ignore[arg-type]
                    for n in range(PARTIES)
                ),
            ]
        )

    @property
    def book(self) -> Book:
        return self.worker.folded.partition.books["main"]

    def envelope(self, actor: str = "root") -> dict[str, object]:
        self.told += 1
        return {"id": f"c{self.told}", "book": "main", "actor": actor, "issued_at_ms": NOW_MS}

    def send(self, commands: list[Command]) -> float:
        """Seconds that it took to answer them."""
        self.log.submit([Out(b"main", encode(one)) for one in commands])
        began = time.perf_counter()
        while self.worker.step():
            pass
        return time.perf_counter() - began


def reports(desk: Desk, first: int, count: int) -> Iterator[Command]:
    """A case each, with its alerts."""
    for case in range(first, first + count):
        party = f"p{case % PARTIES}"
        alerts = tuple(
            Alert(
                id=alert_id("main", "structuring", party, f"{case}/{number}"),
                source="typology",
                kind="structuring",
                version=1,
                book="main",
                at=NOW_MS,
                first_at=NOW_MS,
                day="2024-05-15",
                party=party,
                currency="EUR",
                amount=900,
                words="Five credits under 10,000 within two days.",
            )
            for number in range(ALERTS)
        )
        yield ReportAlerts(**desk.envelope(), case=f"case-{case}", party=party, alerts=alerts, priority=case)  # type: ignore[arg-type]


def main(cases: int, say: Callable[[str], object]) -> None:
    """Print the figures."""
    desk = Desk()
    empty = size_of(desk.book.cases, set()) + size_of(desk.book.timers, set())
    took = desk.send(list(reports(desk, 0, cases)))
    held = size_of(desk.book.cases, set()) + size_of(desk.book.timers, set()) - empty
    assert len(desk.book.cases.queue) == cases
    say(f"{cases} cases of {ALERTS} alerts: {cases / took:,.0f} a second, {held / cases:,.0f} bytes each")
    takes = [desk.send([TakeNextCase(**desk.envelope())]) for _ in range(20)]  # type: ignore[arg-type]
    say(f"the next of {cases}: {sorted(takes)[10] * 1_000:.2f} ms")
    close(desk, cases)
    say(f"a closed case of {ALERTS} alerts: {closed_bytes(desk):,.0f} bytes")


def close(desk: Desk, cases: int) -> None:
    """Whatever was taken is proposed and, where that is asked, confirmed."""
    wanted = min(CLOSED, cases - 100)
    desk.send([TakeNextCase(**desk.envelope()) for _ in range(wanted)])  # type: ignore[arg-type]
    taken = [name for name, one in desk.book.cases.by_id.items() if one.assignee == "root"]
    desk.send(
        [
            ProposeDecision(**desk.envelope(), case=name, label="false_positive", reason="nothing in it")  # type: ignore[arg-type]
            for name in taken
        ]
    )
    asked = [(name, one.proposed) for name, one in desk.book.cases.by_id.items()]
    desk.send(
        [
            ConfirmDecision(**desk.envelope("second"), case=name, proposal=proposed.seq)  # type: ignore[arg-type]
            for name, proposed in asked
            if proposed is not None
        ]
    )


def closed_bytes(desk: Desk) -> float:
    """Of each case that is closed, with its share of the index of alerts."""
    closed = {name: one for name, one in desk.book.cases.by_id.items() if one.status == "closed"}
    index = {name: case for name, case in desk.book.cases.alerts.items() if case in closed}
    assert len(closed) > 10
    return size_of((closed, index), set()) / len(closed)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, print)
