"""Faces: what detection reads of an event has the names and the types that the event has."""

from __future__ import annotations

import msgspec
import pytest

from detection import facts
from detection.face import Face
from detection.facts import FACES, Nothing, decode_fact
from detection.watch import HANDLE
from engine.log.records import BEFORE_FIRST
from schemas.catalogue import EVENTS, decode_event
from schemas.message import Event
from schemas.risk import RiskAssessed
from tests.random_business import Business


@pytest.mark.parametrize("kind", FACES, ids=lambda kind: kind.__name__)
def test_a_face_has_fields_of_its_event(kind: type[Event]) -> None:
    face = FACES[kind]
    assert face.__struct_config__.tag == kind.__struct_config__.tag
    whole = {field.name: field for field in msgspec.structs.fields(kind)}
    for field in msgspec.structs.fields(face):
        assert field.name in whole, field.name
        if field.required and field.name not in {"seq", "book", "at"}:
            left_out = kind.__struct_config__.omit_defaults and not whole[field.name].required
            assert not left_out, f"{field.name} may be left out on the wire"


def test_every_face_is_handled_and_nothing_else() -> None:
    assert set(HANDLE) == {*FACES.values(), RiskAssessed}


def test_facts_say_what_the_events_say() -> None:
    business = Business(5)
    business.run(600)
    seen: set[type[Event]] = set()
    for record in business.log.events(BEFORE_FIRST):
        event = decode_event(record.value)
        fact = decode_fact(record.value)
        seen.add(type(event))
        if type(event) not in FACES:
            assert isinstance(fact, Nothing | RiskAssessed)
            continue
        assert type(fact) is FACES[type(event)]
        _same(fact, event)
    assert len(seen & set(FACES)) > len(FACES) // 2, "the history has most of what detection reads"


def _same(fact: msgspec.Struct, event: object) -> None:
    for name in fact.__struct_fields__:
        said, meant = getattr(fact, name), getattr(event, name)
        if isinstance(said, msgspec.Raw):
            assert msgspec.json.decode(said) == meant
        elif isinstance(said, tuple):
            for one, other in zip(said, meant, strict=True):
                _same(one, other)
        elif isinstance(meant, dict):
            for one in said.__struct_fields__:
                assert getattr(said, one) == meant.get(one, ""), one
        elif isinstance(said, msgspec.Struct):
            _same(said, meant)
        else:
            assert said == meant, name


def test_every_event_can_be_read() -> None:
    for kind in EVENTS:
        named = msgspec.json.encode({"type": kind.__struct_config__.tag, "seq": 1, "book": "b", "at": 2})
        if kind in FACES or kind is RiskAssessed:
            continue
        assert isinstance(decode_fact(named), Nothing)
    assert issubclass(facts.TransferFace, Face)
