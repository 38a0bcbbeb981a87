"""Bad input: whatever comes in gets an outcome with a named reason, and the next command is decided."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as given_any
from hypothesis import strategies as st

from engine.admission import MOST_BYTES, Admission
from engine.log.records import Headers, Out
from engine.proof import Keyring, new_key, proof
from schemas.catalogue import COMMANDS
from schemas.fields import INT64_MAX, LATEST_MS
from schemas.rejections import CATALOGUE, CommandRejected, Reason, sentence
from schemas.transfers import TransferPosted
from tests.story import (
    BEGAN_MS,
    DAY_MS,
    MAIN,
    Story,
    account,
    advance,
    balance,
    book,
    given,
    happened,
    rejected,
    role,
    say,
    story,
    system,
    then,
    transfer,
    when,
)

NUMBERS = itertools.count()


def good(**changes: Any) -> dict[str, Any]:
    """A transfer as JSON, which would be accepted, with something changed, or removed where it is `...`."""
    fields = {
        "type": "Transfer",
        "id": f"bad-{next(NUMBERS)}",
        "book": MAIN,
        "actor": "root",
        "issued_at_ms": story().now,
        "debit": "alice",
        "credit": "bob",
        "amount": 1,
        "currency": "EUR",
    }
    return {name: value for name, value in {**fields, **changes}.items() if value is not ...}


def written(document: object) -> bytes:
    return json.dumps(document).encode()


def begun() -> Story:
    return given(account("alice", balance=1_000_000), account("bob"))


def refused(raw: bytes, reason: Reason, key: bytes = MAIN.encode(), headers: Headers = ()) -> CommandRejected:
    """The record is refused for this reason, and the next command is decided."""
    told = story()
    answered, position, booked = len(told.answers), told.worker.position, balance("bob")
    told.send(raw, key, headers)
    (refusal,) = then(rejected(reason))
    assert isinstance(refusal, CommandRejected)
    assert refusal.restricted == ""
    assert sentence(reason, refusal.figures)
    assert told.worker.position == position + 1 == refusal.cause
    assert len(told.answers) == answered + 1
    assert balance("bob") == booked
    storable()
    if headers == ():
        told.send(written(good()))
        then(happened(TransferPosted))
        assert balance("bob") == booked + 1
    return refusal


def storable() -> None:
    """Every stored event can be stored by PostgreSQL as JSONB, and be read by any JSON parser."""
    for record in story().log.events(-1):
        assert record.key.decode("utf-8")
        document = orjson.loads(record.value)  # refuses lone surrogates and invalid UTF-8
        assert json.loads(record.value) == document
        assert "\0" not in json.dumps(document, ensure_ascii=False)


UNDECODABLE: dict[str, bytes] = {
    "nothing": b"",
    "blank": b" \n",
    "text": b"hello",
    "half": b'{"type":"Transfer","id":"x"',
    "zero bytes": b"\0" * 100,
    "not UTF-8": b"\xff\xfe\xfd",
    "UTF-16": '{"type":"Transfer"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"type":"Transfer"}',
    "null": b"null",
    "a number": b"5",
    "a list": b"[]",
    "an empty object": b"{}",
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "deep lists, closed": b'{"type":"Transfer","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep lists before the type": b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b',"type":"Transfer"}',
    "a million spaces": b" " * 1_000_000,
    "1 MB of digits": b"1" * 1_000_000,
    "1 MB of text": b'"' + b"x" * 1_000_000 + b'"',
    "a comment": b'{"type":"Transfer"} // pay',
    "two objects": b"{}{}",
    "single quotes": b"{'type':'Transfer'}",
    "a trailing comma": b'{"type":"Transfer",}',
}


@pytest.mark.parametrize("raw", UNDECODABLE.values(), ids=UNDECODABLE)
def test_what_is_no_command_is_undecodable(raw: bytes) -> None:
    begun()
    refusal = refused(raw, "undecodable")
    problem = refusal.figures["problem"]
    assert isinstance(problem, str)
    assert problem.isprintable()
    assert 0 < len(problem) <= 200
    assert refusal.book == "~system"


CHANGES: dict[str, dict[str, Any]] = {
    "unknown type": {"type": "Steal"},
    "type of an event": {"type": "TransferPosted"},
    "type is missing": {"type": ...},
    "type is no text": {"type": 5},
    "unknown field": {"urgent": True},
    "field of an event": {"seq": 5},
    "amount is negative": {"amount": -1},
    "amount is zero": {"amount": 0},
    "amount is 2^63": {"amount": 2**63},
    "amount is 2^64": {"amount": 2**64},
    "amount is 10^400": {"amount": 10**400},
    "amount is a float": {"amount": 1.0},
    "amount is 1e400": {"amount": float("inf")},
    "amount is not a number": {"amount": float("nan")},
    "amount is true": {"amount": True},
    "amount is text": {"amount": "1"},
    "amount is null": {"amount": None},
    "amount is missing": {"amount": ...},
    "id is empty": {"id": ""},
    "id has 65 characters": {"id": "x" * 65},
    "id is a number": {"id": 5},
    "id is missing": {"id": ...},
    "id has a NUL": {"id": "a\0b"},
    "book is empty": {"book": ""},
    "book has 65 characters": {"book": "x" * 65},
    "actor is empty": {"actor": ""},
    "actor has 65 characters": {"actor": "x" * 65},
    "account is empty": {"debit": ""},
    "account has 65 characters": {"debit": "x" * 65},
    "account is a list": {"debit": ["alice"]},
    "currency is empty": {"currency": ""},
    "currency is long": {"currency": "EUROSANDCENTS"},
    "issued_at_ms is missing": {"issued_at_ms": ...},
    "issued_at_ms is negative": {"issued_at_ms": -1},
    "issued_at_ms is after the year 9998": {"issued_at_ms": LATEST_MS + 1},
    "issued_at_ms is in seconds": {"issued_at_ms": 1715767200.123},
    "value date is no date": {"value_date": "2024-02-30"},
    "value date is a time": {"value_date": "2024-05-15T00:00:00Z"},
    "value date is a number": {"value_date": 20240515},
    "reference is long": {"reference": "x" * 501},
    "reference has a NUL": {"reference": "a\0"},
    "reference is 1 MB": {"reference": "x" * 1_000_000},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_what_breaks_the_schema_is_undecodable_and_says_where(changes: dict[str, Any]) -> None:
    begun()
    document = good(**changes)
    refusal = refused(written(document), "undecodable")
    claimed = document.get("id")
    assert refusal.figures.get("id") == (
        str(claimed)[:200].replace("\0", "\N{REPLACEMENT CHARACTER}")
        if isinstance(claimed, str) and claimed and "NaN" not in json.dumps(document)
        and "Infinity" not in json.dumps(document) else None
    )  # fmt: skip


def test_a_record_that_is_refused_names_the_id_that_it_claims() -> None:
    begun()
    assert refused(b'{"id":"mine","type":"Steal"}', "undecodable").figures["id"] == "mine"
    for raw in (b'{"id":5}', b'{"id":""}', b'{"id":"x","type":', b'{"id":"\\ud800"}', b"[5]"):
        assert "id" not in refused(raw, "undecodable").figures


FIELDS: dict[str, dict[str, Any]] = {
    "RegisterParty": {
        "party": "p", "kind": "person", "name": "N", "country": "", "number": "", "segment": "", "branch": "",
    },
    "OpenAccount": {
        "account": "a", "currency": "EUR", "party": "p", "product": "", "branch": "", "ledger": "",
    },
    "BlockAccount": {"account": "a", "block": "b", "direction": "both", "authority": "x", "reason": "r"},
    "Transfer": {"debit": "alice", "credit": "bob", "amount": 1, "currency": "EUR", "reference": ""},
    "RegisterUser": {"user": "u", "person": "p", "party": ""},
    "RegisterAsset": {"asset": "GOLD", "scale": 3, "name": "Gold"},
    "OpenBook": {"name": "n", "currency": "EUR", "administrators": [], "time_zone": "UTC"},
}  # fmt: skip
TEXTS = [
    (kind, name)
    for kind, fields in FIELDS.items()
    for name in ("id", "book", "actor", *(name for name, value in fields.items() if isinstance(value, str)))
]


@pytest.mark.parametrize(("kind", "name"), TEXTS)
def test_no_text_that_postgresql_cannot_store_reaches_the_log(kind: str, name: str) -> None:
    told = begun()
    for bad in (rb"\u0000", rb"\ud800", rb"\udc00\ud800", b"\xed\xa0\x80", b"\0", b"\xff"):
        document = {"type": kind, "id": "i", "book": MAIN, "actor": "root", "issued_at_ms": told.now}
        raw = written({**document, **FIELDS[kind], name: "here"}).replace(b'"here"', b'"a' + bad + b'"')
        key = MAIN.encode() if name != "book" else b"a"
        told.send(raw, key)
        then(rejected("undecodable"))
        storable()
    assert kind in {one.__name__ for one in COMMANDS}


def test_odd_but_whole_texts_are_stored_as_they_are() -> None:
    begun()
    odd = "\x01\x7f\u2028\ufffe\N{GRINNING FACE}\\u0000\u202e"
    story().send(written(good(reference=odd)))
    then(happened(TransferPosted, reference=odd))
    storable()


def test_of_a_name_that_comes_twice_the_last_counts_at_both_doors() -> None:
    begun()
    story().send(written(good(amount=7)).replace(b'"amount": 7', b'"amount": 5, "amount": 7'))
    then(happened(TransferPosted, amount=7))


def test_a_record_is_looked_at_up_to_4_mib() -> None:
    begun()
    raw = written(good())
    refusal = refused(raw + b" " * (MOST_BYTES + 1 - len(raw)), "too_large")
    assert refusal.figures == {"bytes": MOST_BYTES + 1, "most": MOST_BYTES}
    story().send(raw + b" " * (MOST_BYTES - len(raw)))
    then(happened(TransferPosted))


# --- decodable, and wrong ---------------------------------------------------------------------------------


def test_an_unknown_book_is_named() -> None:
    begun()
    for name in ("nowhere", "x" * 64, "~system", "\n", "' OR 1=1 --", "\N{GRINNING FACE}"):
        refusal = refused(written(good(book=name, id="lost")), "unknown_book", name.encode())
        assert refusal.figures == {"book": name, "id": "lost"}


def test_a_key_that_is_not_the_book_is_the_wrong_partition() -> None:
    begun()
    for key in (b"", b"Main", b"main ", b"\xff", b"x" * 100_000):
        assert refused(written(good(id="lost")), "wrong_partition", key).figures == {
            "book": MAIN,
            "id": "lost",
        }


def test_an_unknown_currency_is_refused_by_what_is_asked_of_it() -> None:
    begun()
    refused(written(good(currency="ABC")), "currency_mismatch")
    when(say(COMMAND["OpenAccount"], account="new", currency="ABC", kind="nostro"))
    then(rejected("unknown_currency", currency="ABC"))


def test_amounts_at_the_end_of_64_bits_are_refused_for_what_they_are() -> None:
    begun()
    refused(written(good(amount=INT64_MAX)), "insufficient_funds")
    when(transfer("nostro", "bob", INT64_MAX))
    then(rejected("overflow", account="nostro"))


def test_what_was_issued_in_an_ancient_time_is_too_old() -> None:
    begun()
    for issued in (0, 1, 1715767200, BEGAN_MS - 8 * DAY_MS):
        refused(written(good(issued_at_ms=issued)), "too_old")


def test_what_was_issued_in_a_distant_future_moves_nothing() -> None:
    told = begun()
    at = told.book.at
    for issued in (at + 367 * DAY_MS, 1715767200000000 // 10, LATEST_MS):
        refused(written(good(issued_at_ms=issued)), "issued_in_future")
    when(advance(LATEST_MS))
    then(rejected("issued_in_future"))
    assert told.book.at < at + DAY_MS


def test_what_was_issued_in_the_future_of_a_wall_book_is_refused() -> None:
    given(book(clock="wall"), account("alice", balance=1_000_000), account("bob"))
    refused(written(good(issued_at_ms=story().now + DAY_MS)), "issued_in_future")


COMMAND = {one.__name__: one for one in COMMANDS}


# --- proof of the actor -----------------------------------------------------------------------------------

GATE, BATCH = new_key("gate"), new_key()
KEYRING = Admission(Keyring({"k-gate": GATE, "k-people": BATCH}))


def proven() -> tuple[Story, bytes]:
    """A story in which who speaks has to be proven, and a transfer by the system `gate`."""
    told = given(
        account("alice", balance=1_000_000), account("bob"), role("payer", COMMAND["Transfer"]),
        system("gate", roles=["payer"]),
    )  # fmt: skip
    told.worker.pipeline.admission = KEYRING
    return told, written(good(actor="gate"))


def test_a_proven_actor_is_heard() -> None:
    told, raw = proven()
    told.send(raw, headers=proof("k-gate", GATE, raw))
    then(happened(TransferPosted, actor="gate"))
    raw = written(good())
    told.send(raw, headers=proof("k-people", BATCH, raw))
    then(happened(TransferPosted, actor="root"))


def test_what_nothing_proves_is_refused_and_burns_no_id() -> None:
    told, raw = proven()
    other = written(good(actor="gate"))
    name, mac = proof("k-gate", GATE, raw)
    forged: list[Headers] = [
        (("other", b"header"),),
        (name,),
        (mac,),
        (name, ("mac", b"")),
        (name, ("mac", mac[1][:-1])),
        (name, ("mac", bytes([mac[1][0] ^ 1]) + mac[1][1:])),
        (("key", b"k-unknown"), mac),
        (("key", b"\xff\xff"), mac),
        (("key", b"k-people"), mac),
        proof("k-gate", GATE, other),
        proof("k-gate", new_key("gate"), raw),
    ]
    for headers in forged:
        refusal = refused(raw, "actor_unproven", headers=headers)
        assert refusal.figures["actor"] == "gate"
        assert (refusal.book, refusal.actor, refusal.command) == ("~system", "", "")
    told.send(raw, headers=(name, mac))
    then(happened(TransferPosted))


def test_a_gateways_key_speaks_for_people_and_not_for_a_system_that_has_a_key_itself() -> None:
    _, raw = proven()
    refused(raw, "actor_unproven", headers=proof("k-people", BATCH, raw))


def test_a_systems_key_speaks_as_that_system_only() -> None:
    proven()
    raw = written(good(actor="root"))
    refused(raw, "actor_unproven", headers=proof("k-gate", GATE, raw))


# --- many at once -----------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given_any(st.binary(max_size=200))
def test_any_bytes_get_an_outcome(raw: bytes) -> None:
    begun()
    refused(raw, "undecodable")


def test_a_flood_of_mutilated_commands_is_answered_one_by_one() -> None:
    told = begun()
    chance = random.Random(20240515)
    raws = []
    for _ in range(2_000):
        raw = bytearray(written(good()))
        for _ in range(chance.randrange(1, 4)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        raws.append(bytes(raw))
    offsets = told.log.submit([Out(MAIN.encode(), raw) for raw in raws])
    while told.worker.step():
        pass
    reasons = set()
    for offset in offsets:
        (event,) = told.answers[offset]
        assert event.cause == offset
        reasons.add(event.reason if isinstance(event, CommandRejected) else type(event).__name__)
    assert reasons <= {*CATALOGUE, "TransferPosted", "CommandRepeated"}
    assert {"undecodable", "TransferPosted", "account_not_found"} <= reasons
    told.check()
    storable()
    told.recover()
    told.check()


def test_a_sum_beyond_64_bits_is_told_as_text() -> None:
    begun()
    legs = [{"account": name, "amount": INT64_MAX, "currency": "EUR"} for name in ("alice", "bob")]
    document = good(type="PostEntries", legs=legs, debit=..., credit=..., amount=..., currency=...)
    story().send(written(document))
    then(rejected("unbalanced", sum=str(2 * INT64_MAX)))
    storable()
