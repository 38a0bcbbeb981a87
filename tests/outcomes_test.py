"""The public record of a command: right for every kind of outcome, and blind to what only staff may know."""

from __future__ import annotations

import datetime
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from commands.decision import HANDLERS
from engine.log.records import BEFORE_FIRST, Out, Record
from schemas.accounts import CloseAccount
from schemas.approvals import ApprovalFailed
from schemas.bulk import InstructionRefused
from schemas.catalogue import EVENTS, decode_event, encode
from schemas.holds import PlaceHold
from schemas.message import Command, Event
from schemas.outcomes import (
    BY_STAFF,
    FACES,
    FOR_STAFF,
    NAMED,
    WANTED_BY_STAFF,
    CommandOutcome,
    decode_face,
    decode_outcome,
    encode_outcome,
    grouped,
    outcome_of,
    outcome_of_faces,
)
from schemas.personal import personal_fields
from schemas.rejections import CommandRejected, CommandRepeated
from schemas.withheld import told
from tests.random_business import Business

SECRET = "\N{SNOWMAN}secret"


def outcomes_of(records: list[Record]) -> list[CommandOutcome]:
    return [outcome_of_faces(faces) for faces in grouped(decode_face(one.value) for one in records)]


def bytes_of(records: list[Record]) -> bytes:
    return b"\n".join(encode_outcome(one) for one in outcomes_of(records))


@pytest.fixture(scope="module", params=range(4))
def history(request: pytest.FixtureRequest) -> Business:
    business = Business(request.param)
    business.run(300)
    return business


# --- one record a command ---------------------------------------------------------------------------------


def test_every_command_has_one_record_and_they_are_in_order(history: Business) -> None:
    found = outcomes_of(list(history.log.events(BEFORE_FIRST)))
    commands = history.log.commands(BEFORE_FIRST, 1_000_000, 0.0)
    assert [one.cause for one in found] == [one.offset for one in commands]
    said = {one.offset: msgspec.json.decode(one.value) for one in commands}
    for one in found:
        if one.command:
            assert (one.command, one.actor) == (said[one.cause]["id"], said[one.cause]["actor"])


def test_a_record_says_what_the_events_say(history: Business) -> None:
    """Against a twin that decodes whole events, and does nothing fast."""
    records = list(history.log.events(BEFORE_FIRST))
    events = [decode_event(one.value) for one in records]
    by_cause: dict[int, list[Any]] = {}
    for event in events:
        if event.cause >= 0:
            by_cause.setdefault(event.cause, []).append(event)
    for one in outcomes_of(records):
        first, *more = of = by_cause[one.cause]
        if any(type(event) in BY_STAFF for event in of):
            assert (one.events, one.named, one.refused, one.last_seq) == ({}, {}, (), 0)
            continue
        seen = [event for event in of if event is first or type(event) not in FOR_STAFF]
        here = [event.seq for event in seen if event.book == first.book]
        assert (one.book, one.at, one.seq, one.through_seq) == (first.book, first.at, here[0], here[-1])
        assert one.epoch == first.epoch
        names = Counter(type(event).__name__ for event in of if type(event) not in FOR_STAFF)
        if isinstance(first, CommandRejected):
            by_staff = first.figures.get("wanted") in WANTED_BY_STAFF
            refused = ("declined", {}) if by_staff else told(first.reason, first.figures)
            assert (one.verdict, one.reason, one.figures) == ("rejected", *refused)
            assert not more
            assert not one.events
        elif isinstance(first, CommandRepeated):
            assert (one.verdict, one.first_seq, one.reason) == (
                "repeated", first.first_seq, told(first.reason, {})[0],
            )  # fmt: skip
        else:
            waits = type(first).__name__ == "ApprovalRequested"
            assert one.verdict == ("waiting" if waits else "accepted")
            assert one.events == names
            within = [event for event in of if isinstance(event, InstructionRefused | ApprovalFailed)]
            assert [(each.reason, each.figures) for each in one.refused] == [
                told(event.reason, event.figures) for event in within
            ]
        assert decode_outcome(encode_outcome(one)) == one


def test_the_histories_have_every_verdict() -> None:
    seen: Counter[str] = Counter()
    for seed in range(4):
        business = Business(seed)
        business.run(200)
        # a command that is sent again, and a record that is none
        (again,) = business.log.commands(40, 1, 0.0)
        business._send([Out(again.key, again.value), Out(b"main", b"{"), Out(b"other", again.value)])
        business._work()
        found = outcomes_of(list(business.log.events(BEFORE_FIRST)))
        assert [one.reason for one in found[-2:]] == ["undecodable", "wrong_partition"]
        assert found[-2].command == ""
        assert found[-2].book == "~system"
        assert found[-3].verdict == "repeated"
        seen.update(one.verdict for one in found)
        seen.update("refused within" for one in found if one.refused)
    assert set(seen) == {"accepted", "waiting", "rejected", "repeated", "refused within"}


def test_a_book_that_is_opened_is_answered_by_the_system_book() -> None:
    business = Business(0)
    opened = [
        one for one in outcomes_of(list(business.log.events(BEFORE_FIRST))) if "BookOpened" in one.events
    ]
    assert [one.named["book"] for one in opened] == ["main", "side"]
    assert {one.book for one in opened} == {"~system"}
    assert all(one.seq == one.through_seq for one in opened), "seqs of two books are not one span"


def test_what_was_approved_is_the_outcome_of_the_last_yes() -> None:
    found: list[CommandOutcome] = []
    for seed in range(6):
        business = Business(seed)
        business.run(300)
        found += outcomes_of(list(business.log.events(BEFORE_FIRST)))
    done = [one for one in found if "ApprovalGiven" in one.events and len(one.events) > 1]
    assert any("TransferPosted" in one.events or "PaymentSubmitted" in one.events for one in done)
    for one in done:
        assert (one.verdict, one.named["missing"]) == ("accepted", 0)
        asked = [other for other in found if other.verdict == "waiting" and other.book == one.book]
        assert any(other.named["approval"] == one.named["approval"] for other in asked)


# --- nothing that only staff may know ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_no_public_face_has_a_restricted_or_personal_field(kind: type[Event]) -> None:
    names = set(FACES[kind].__struct_fields__)
    personal = {path.split(".")[0].split("[")[0] for path in personal_fields(kind)}
    assert not names & (personal | {"restricted", "screening", "detail", "asked", "note", "uses", "counts"})
    plain = {"reason"} & names
    if plain:  # in all other events it is what people write
        assert kind in {CommandRejected, CommandRepeated, ApprovalFailed, InstructionRefused}


def test_what_only_staff_may_know_of_is_not_named() -> None:
    for kind in FOR_STAFF:
        assert kind not in NAMED
    silent = [_event(kind, cause=3, command="c", actor="risk", seq=7, book="b") for kind in FOR_STAFF]
    for event in silent:
        one = outcome_of([encode(event)])
        assert (one.verdict, one.events, one.named) == ("accepted", {}, {})
        told = encode_outcome(one)
        assert type(event).__name__.encode() not in told
        assert b"restricted" not in told


def test_records_are_blind_to_restricted_and_personal_fields(history: Business) -> None:
    """Change every such field of every event: the records stay the same to the byte."""
    records = list(history.log.events(BEFORE_FIRST))
    changed = 0
    others = []
    for record in records:
        event = msgspec.json.decode(record.value)
        kind: type[Event] = type(decode_event(record.value))
        for path in (*personal_fields(kind), *(["restricted"] if "restricted" in event else [])):
            changed += _overwrite(event, path.replace("[]", ".[]").split("."))
        value = encode(msgspec.convert(event, kind))
        others.append(Record(record.key, value, record.offset, record.time_ms, record.headers))
    assert changed > 30
    assert bytes_of(others) == bytes_of(records)


@pytest.mark.parametrize("seed", range(4))
def test_no_decision_puts_a_personal_text_into_its_public_figures(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Personal texts of all commands hold a mark, and so do the words of our own bugs."""
    business = _Marked(seed)
    chance = random.Random(seed)

    def buggy(kind: type[Command]) -> None:
        decide = HANDLERS[kind]

        def at_times(book: Any, command: Any, at_ms: int) -> Any:
            if chance.random() < 0.5:
                raise ValueError(SECRET)
            return decide(book, command, at_ms)

        monkeypatch.setitem(HANDLERS, kind, at_times)

    buggy(PlaceHold)
    buggy(CloseAccount)
    business.run(300)
    records = list(business.log.events(BEFORE_FIRST))
    marked = [one for one in records if SECRET.encode() in one.value]
    assert len(marked) > 5, "the mark is in the events"
    assert any(b'"internal_error"' in one.value for one in marked)
    assert SECRET.encode() not in bytes_of(records)


class _Marked(Business):
    """A business whose personal texts say that they are secret."""

    def _made(self, kind: type[Command]) -> Command:
        command = msgspec.to_builtins(super()._made(kind))
        for path in personal_fields(kind):
            _overwrite(command, path.replace("[]", ".[]").split("."))
        try:
            return msgspec.convert(command, kind)
        except msgspec.ValidationError:  # a field that takes no such text
            return super()._made(kind)


def _overwrite(node: Any, path: list[str]) -> int:
    """Put something else where the path leads; how often."""
    head, *rest = path
    if head == "[]":
        return sum(_overwrite(one, rest) for one in node) if rest else 0
    if not isinstance(node, dict) or node.get(head) is None:
        return 0
    if rest:
        return _overwrite(node[head], rest)
    was = node[head]
    node[head] = _other(was)
    return 1


def _other(value: Any) -> Any:
    if isinstance(value, dict):
        return {"type": SECRET}
    try:
        return str(datetime.date.fromisoformat(value) + datetime.timedelta(1))
    except ValueError:
        return SECRET


def _event(kind: type[Event], **envelope: Any) -> Event:
    """An event of the type with anything in it."""

    def fill(of: Any) -> Any:
        if isinstance(of, msgspec.inspect.UnionType):
            return None
        if isinstance(of, msgspec.inspect.LiteralType):
            return of.values[0]
        if isinstance(of, msgspec.inspect.BoolType):
            return False
        if isinstance(of, msgspec.inspect.IntType):
            return 1
        if isinstance(of, msgspec.inspect.StructType):
            return {one.name: fill(one.type) for one in of.fields if one.required}
        if isinstance(of, msgspec.inspect.DictType):
            return {}
        return () if isinstance(of, msgspec.inspect.VarTupleType) else SECRET

    def fields() -> Iterator[tuple[str, Any]]:
        about = msgspec.inspect.type_info(kind)
        assert isinstance(about, msgspec.inspect.StructType)
        for field in about.fields:
            if field.required:
                yield field.name, fill(field.type)

    return msgspec.convert({"type": kind.__name__, **dict(fields()), **envelope}, kind)
