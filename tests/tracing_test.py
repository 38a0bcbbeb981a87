"""The trace of a command goes to its events and nowhere else, and moves nothing that is proven."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace

from engine import spans
from engine.admission import Admission
from engine.embedded import InProcess
from engine.genesis import begin
from engine.links import FIRST_LINK, link_of, next_link
from engine.log.memory import MemoryLog
from engine.log.recorder import RecorderLog
from engine.log.records import BEFORE_FIRST, LINK, Headers, Out, Record
from engine.metrics import Metrics
from engine.proof import Keyring, new_key, proof
from engine.publisher import published
from engine.worker import Worker
from replay.redecide import redecide
from replay.verify import verify
from schemas.books import Administrator, OpenBook
from schemas.catalogue import encode
from schemas.message import Command
from schemas.outcomes import decode_outcome

ROOT = Administrator(person="ruth", user="root")
PARENT = "traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "traceparent", b"00-11111111111111111111111111111111-b7ad6b7169203331-00"
STATE = "tracestate", b"rojo=00f067aa0ba902b7"
T0 = 1_700_000_000_000
KEY = new_key(owner="root")


def clock() -> int:
    return T0


def opens(number: int) -> Command:
    return OpenBook(
        id=f"c{number}",
        book=f"b{number}",
        actor="root",
        issued_at_ms=T0,
        name="A book",
        currency="EUR",
        administrators=(ROOT,),
    )


def decided(log: MemoryLog | RecorderLog, traces: list[Headers]) -> list[Record]:
    """One command for each of these traces, proven, in batches of five; returns the events."""
    begin(log, [ROOT], T0)
    engine = InProcess(log, admission=Admission(Keyring({"gate": KEY})), batch=5)
    outs = []
    for number, headers in enumerate(traces):
        command = opens(number)
        value = encode(command)
        outs.append(Out(command.book.encode(), value, (*headers, *proof("gate", KEY, value))))
    engine.submit(outs)
    return list(log.events(BEFORE_FIRST))


TRACES: list[Headers] = [
    (),
    (PARENT,),
    (PARENT, STATE),
    (OTHER, ("x-other", b"y")),
    (("traceparent", b"nonsense"),),
    (STATE,),
    (PARENT,),
]


@pytest.mark.parametrize("kept_in", ["memory", "sqlite"])
def test_events_and_outcomes_carry_the_trace_of_their_command(kept_in: str, tmp_path: Path) -> None:
    """Also in pages where some events have it and others have not."""
    log = (
        MemoryLog(clock=clock)
        if kept_in == "memory"
        else RecorderLog.sqlite(tmp_path / "log", writer=True, clock=clock)
    )
    with contextlib.closing(log):
        events = decided(log, TRACES)
        wanted = {1: [PARENT], 2: [PARENT, STATE], 3: [OTHER], 6: [PARENT]}
        seen = set()
        for record in events:
            out = next(published([record]), None)
            if out is None:
                continue
            cause = decode_outcome(out.value).cause
            seen.add(cause)
            assert [one for one in record.headers if one[0] != LINK] == wanted.get(cause, [])
        for out in published(events):
            assert list(out.headers) == wanted.get(decode_outcome(out.value).cause, [])
        assert seen == set(range(len(TRACES)))


def test_a_trace_moves_no_link_no_digest_and_no_decision() -> None:
    plain, traced = MemoryLog(clock=clock), MemoryLog(clock=clock)
    without = decided(plain, [() for _ in TRACES])
    with_traces = decided(traced, TRACES)
    # the genesis event has an id of the log's own
    assert [one.value for one in without[1:]] == [one.value for one in with_traces[1:]]
    link, page = FIRST_LINK, []
    for record in with_traces:
        page.append(record.value)
        found = link_of(record.headers)
        if found is not None:
            link, page = next_link(link, page), []
            assert found == link
    assert page == []
    assert verify(traced).ok
    assert redecide(traced).ok


class _Spans(trace.NoOpTracer):
    """Keeps what it is told of each span."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, int, dict[str, Any]]] = []

    def start_span(self, name: str, *args: Any, **told: Any) -> trace.Span:
        self.begun.append((name, told["start_time"], dict(told["attributes"])))
        return super().start_span(name, *args, **told)


def test_each_commit_is_a_span_for_whoever_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    tracer = _Spans()
    monkeypatch.setattr(spans, "_tracer", tracer)
    log = MemoryLog(clock=clock)
    begin(log, [ROOT], T0)
    observer = Metrics("engine").worker(0, log)
    worker = Worker(log, observer=observer, batch=5)
    log.submit([Out(f"b{number}".encode(), encode(opens(number))) for number in range(7)])
    while worker.step():
        pass
    observer.close()
    assert [told for _, _, told in tracer.begun] == [
        {"daybook.commands": 5, "daybook.events": 10, "daybook.position": 4},
        {"daybook.commands": 2, "daybook.events": 4, "daybook.position": 6},
    ]
    assert {name for name, _, _ in tracer.begun} == {"daybook commit"}
