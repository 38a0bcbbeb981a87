"""Derivations: what follows from the events is there once, whatever crashes, however it is cut."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Sequence

import pytest

from engine.derivation import THROUGH, Host, in_memory, next_pages
from engine.errors import DaybookError, Fenced, LogCorrupt, Uncertain
from engine.links import FIRST_LINK, linked
from engine.log.faults import Crash, Fault, Faults
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST, Out, Record
from engine.publisher import Publisher, published
from schemas.catalogue import decode_event, digest
from schemas.outcomes import decode_outcome, outcome_of
from schemas.tracing import carried
from tests.random_business import Business

PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Summing:
    """A derivation with a state: after every third event it says how many bytes there were so far.

    saved: its snapshot, an offset and a state, which outlives it.
    """

    def __init__(
        self, saved: dict[int, tuple[int, int]] | None = None, chance: random.Random | None = None
    ) -> None:
        self.state = (0, 0)
        self._saved = saved if saved is not None else {}
        self._chance = chance or random.Random(0)

    def begin(self, position: int) -> int:
        if not self._saved:
            return BEFORE_FIRST
        offset = max(self._saved)
        self.state = self._saved[offset]
        return offset

    def derive(self, events: Sequence[Record]) -> list[Out]:
        outs = []
        count, total = self.state
        for record in events:
            count, total = count + 1, total + len(record.value)
            if count % 3 == 0:
                outs.append(Out(record.key, b"%d %d" % (count, total)))
        self.state = count, total
        return outs

    def kept(self, through: int) -> None:
        if self._chance.random() < 0.3:
            self._saved[through] = self.state


def values(log: MemoryLog) -> list[bytes]:
    return [record.value for record in log.events(BEFORE_FIRST)]


def pages(*sizes: int, control_records: bool = False) -> MemoryLog:
    """A log with pages of so many events."""
    log = MemoryLog(control_records=control_records)
    link, number = FIRST_LINK, 0
    for size in sizes:
        outs = [Out(b"book", b"event %d" % (number + one)) for one in range(size)]
        number += size
        link = linked(link, outs)
        log.commit(outs, BEFORE_FIRST, 1_000 + number)
    return log


@pytest.fixture(scope="module")
def business() -> Business:
    found = Business(3)
    found.run(300)
    return found


def test_every_command_has_its_outcome_whatever_crashes(business: Business) -> None:
    """The derivation is killed before and after its commits, fenced, and not answered; one is stopped and
    goes on when another has taken over.
    """
    right = [out.value for out in published(list(business.log.events(BEFORE_FIRST)))]
    for seed in range(30):
        chance = random.Random(seed)
        faults = Faults(seed=seed, commit_rate=0.4)
        derived = MemoryLog(faults=faults, control_records=seed % 2 == 0)
        met: set[type] = set()
        zombies: list[Host] = []
        while True:
            host = Host(
                Publisher(), business.log.reader(), in_memory(derived), at_once=chance.randrange(1, 40)
            )
            try:
                while host.step():
                    if chance.random() < 0.05:
                        zombies.append(host)
                        raise Crash
                break
            except (Crash, DaybookError) as error:
                met.add(type(error))
                derived = derived.reopen()
        for zombie in zombies:
            with contextlib.suppress(Crash, DaybookError):
                while zombie.step():
                    pass
        assert values(derived) == right, f"seed {seed}"
        assert {Crash, Uncertain} <= met


def test_a_zombie_is_fenced(business: Business) -> None:
    derived = MemoryLog()
    zombie = Host(Publisher(), business.log.reader(), in_memory(derived), at_once=10)
    zombie.step()
    derived = derived.reopen()
    host = Host(Publisher(), business.log.reader(), in_memory(derived), at_once=10)
    with pytest.raises(Fenced):
        zombie.step()
    while host.step():
        pass
    assert values(derived) == [out.value for out in published(list(business.log.events(BEFORE_FIRST)))]


def test_a_state_is_folded_again_and_says_nothing_twice() -> None:
    sizes = [random.Random(5).randrange(1, 9) for _ in range(200)]
    log = pages(*sizes, control_records=True)
    right = [out.value for out in Summing().derive(list(log.events(BEFORE_FIRST)))]
    for seed in range(20):
        chance = random.Random(seed)
        saved: dict[int, tuple[int, int]] = {}
        derived = MemoryLog(faults=Faults(seed=seed, commit_rate=0.3))
        crashes = 0
        while True:
            try:
                host = Host(Summing(saved, chance), log.reader(), in_memory(derived), at_once=7)
                while host.step():
                    pass
                break
            except (Crash, DaybookError):
                crashes += 1
                derived = derived.reopen()
        assert crashes > 3
        assert values(derived) == right, f"seed {seed}"


def test_pages_are_never_parted_and_one_that_is_not_all_there_waits() -> None:
    log = pages(3, 1, 5, 2)
    records = list(log.events(BEFORE_FIRST))
    for least, first in ((1, 3), (3, 3), (4, 4), (5, 9), (9, 9), (10, 11), (99, 11)):
        assert len(next_pages(iter(records), least)) == first
    assert next_pages(iter(records[:2]), 10) == []
    assert next_pages(iter(records[:6]), 10) == records[:4]
    assert next_pages(iter(()), 10) == []


def test_the_output_says_how_far_it_goes_and_only_its_last_record_does(business: Business) -> None:
    derived = MemoryLog()
    host = Host(Publisher(), business.log.reader(), in_memory(derived))
    while host.step():
        pass
    stored = list(derived.events(BEFORE_FIRST))
    assert [name for name, _ in stored[-1].headers] == [THROUGH]
    assert not any(one.headers for one in stored[:-1])
    assert host.position == business.log.last_event_offset()
    assert Host(Publisher(), business.log.reader(), in_memory(derived.reopen())).position == host.position


def test_what_only_staff_may_know_cannot_be_tried_by_the_header(business: Business) -> None:
    """Who reads the output and guesses an event to the byte must not see that the guess is right."""
    derived = MemoryLog()
    host = Host(Publisher(), business.log.reader(), in_memory(derived), at_once=1)
    while host.step():
        pass
    told = b" ".join(value for one in derived.events(BEFORE_FIRST) for name, value in one.headers)
    assert told.count(b" ") > 20
    for event in business.log.events(BEFORE_FIRST):
        assert digest(event.value).encode() not in told


def test_a_log_from_a_mirror_has_other_offsets_and_the_place_is_found() -> None:
    log = pages(4, 3, 2)
    derived = MemoryLog()
    host = Host(Summing(), log.reader(), in_memory(derived), at_once=3)
    host.step()
    host.step()
    mirror = pages(4, 3, 2, control_records=True)
    later = derived.reopen()
    found = Host(Summing(), mirror.reader(), in_memory(later))
    assert host.position == 6
    assert found.position == 7
    while found.step():
        pass
    assert values(later) == [out.value for out in Summing().derive(list(log.events(BEFORE_FIRST)))]


def test_output_that_is_ahead_of_the_events_or_another_s_is_refused() -> None:
    derived = MemoryLog()
    host = Host(Summing(), pages(4, 3, 2).reader(), in_memory(derived))
    while host.step():
        pass
    with pytest.raises(LogCorrupt, match="does not have"):
        Host(Summing(), pages(4, 3).reader(), in_memory(derived.reopen()))
    derived = derived.reopen()
    derived.commit([Out(b"book", b"from somebody else")], BEFORE_FIRST, 5)
    with pytest.raises(LogCorrupt, match="somebody else"):
        Host(Summing(), pages(4, 3, 2).reader(), in_memory(derived.reopen()))


def test_a_lost_acknowledgement_is_not_said_twice() -> None:
    log = pages(3, 3)
    derived = MemoryLog(faults=Faults({0: Fault.LOST_ACK}))
    host = Host(Summing(), log.reader(), in_memory(derived))
    with pytest.raises(Uncertain):
        host.step()
    with pytest.raises(Uncertain):
        host.step()
    derived = derived.reopen()
    host = Host(Summing(), log.reader(), in_memory(derived))
    assert host.step() == 0
    assert len(values(derived)) == 2


def test_the_trace_of_a_command_goes_on_to_its_outcome(business: Business) -> None:
    records = list(business.log.events(BEFORE_FIRST))
    traced = [
        Record(one.key, one.value, one.offset, one.time_ms, (("traceparent", PARENT), *one.headers))
        for one in records
    ]
    assert {out.headers for out in published(traced)} == {(("traceparent", PARENT),)}
    assert {out.headers for out in published(records)} == {()}


@pytest.mark.parametrize(
    ("headers", "names"),
    [
        ((("traceparent", PARENT),), ["traceparent"]),
        ((("traceparent", PARENT), ("tracestate", b"a=1,b=2")), ["traceparent", "tracestate"]),
        ((("tracestate", b"a=1"), ("x", b""), ("traceparent", PARENT)), ["traceparent", "tracestate"]),
        ((("tracestate", b"a=1"),), []),
        ((("traceparent", PARENT), ("tracestate", b"a" * 513)), ["traceparent"]),
        ((("traceparent", PARENT), ("tracestate", b"a=\n")), ["traceparent"]),
        ((("traceparent", PARENT), ("traceparent", PARENT)), []),
        ((("traceparent", PARENT + b"\n"),), []),
        ((("traceparent", PARENT.upper()),), []),
        ((("traceparent", b"01" + PARENT[2:]),), []),
        ((("traceparent", b"00-" + b"0" * 32 + PARENT[35:]),), []),
        ((("traceparent", PARENT[:36] + b"0" * 16 + b"-01"),), []),
        ((("traceparent", b""),), []),
        ((("traceparent", b"\xff" * 55),), []),
    ],
)
def test_only_a_trace_that_is_one_is_carried_on(
    headers: tuple[tuple[str, bytes], ...], names: list[str]
) -> None:
    assert [name for name, _ in carried(headers)] == names


def test_an_answer_to_a_caller_says_what_the_public_record_says(business: Business) -> None:
    by_cause: dict[int, list[bytes]] = {}
    for record in business.log.events(BEFORE_FIRST):
        cause = decode_event(record.value).cause
        if cause >= 0:
            by_cause.setdefault(cause, []).append(record.value)
    right = [decode_outcome(out.value) for out in published(list(business.log.events(BEFORE_FIRST)))]
    assert [outcome_of(of) for of in by_cause.values()] == right
