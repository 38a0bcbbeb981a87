"""Commands as lines of JSON: every line goes to the engine and gets one outcome, whatever it holds."""

from __future__ import annotations

import io
import json
import tracemalloc

import pytest

from book.state import SYSTEM_BOOK
from engine.admission import MOST_BYTES
from gateway.bounded_lines import bounded_lines
from gateway.lines import key_of, read_lines, stamps
from schemas.catalogue import decode_event
from schemas.rejections import CommandRejected
from tests.intake import ADMIN, Intake

OPEN = {
    "type": "OpenBook",
    "id": "open",
    "book": "shop",
    "actor": ADMIN,
    "issued_at_ms": 1_735_689_600_000,
    "name": "Shop",
    "currency": "EUR",
    "clock": "commanded",
    "administrators": [{"person": "p", "user": ADMIN}],
}
PARTY = {
    "type": "RegisterParty",
    "id": "party",
    "book": "shop",
    "actor": ADMIN,
    "issued_at_ms": 1_735_689_600_001,
    "party": "ann",
    "kind": "person",
    "name": "Ann",
}


def line(command: dict[str, object], **changes: object) -> bytes:
    return json.dumps(command | changes).encode()


RUBBISH = [
    b"{",
    b"nonsense",
    b"[]",
    b"null",
    b'"book"',
    b"\xff\xfe",
    b'{"book": 5}',
    b'{"book": ""}',
    b'{"book": "\\ud800"}',
    b'{"book": "shop", "type": "Transfer"}',
    b'{"type": "Transfer", "book": "' + b"x" * 100_000 + b'"}',
    b"[" * 100_000,
    b'{"book": "~system", "type": "OpenBook"}',
    line(PARTY, id=""),
    line(PARTY, id="x" * 65),
    line(PARTY, colour="red"),
    line(PARTY, issued_at_ms=-1),
    line(PARTY, issued_at_ms=2**63),
    line(PARTY, issued_at_ms=1.5),
    line(PARTY, issued_at_ms=float("nan")),
    line(PARTY, name="n" * 1_000_000),
    line(PARTY, name="a\0b"),
    line(PARTY, book="elsewhere"),
    line(PARTY, actor="stranger", id="p2"),
]


def test_every_line_gets_one_outcome_and_the_next_command_is_decided() -> None:
    lines = [line(OPEN), *RUBBISH, line(PARTY)]
    intake = Intake()
    numbered = list(read_lines(io.BytesIO(b"\n".join(lines))))
    assert [number for number, _ in numbered] == list(range(1, len(lines) + 1))
    answers = intake.submit([out for _, out in numbered])
    told = [decode_event(answer[0]) for answer in answers]
    assert [isinstance(event, CommandRejected) for event in told] == [False, *[True] * len(RUBBISH), False]
    reasons = [event.reason for event in told if isinstance(event, CommandRejected)]
    assert reasons == ["undecodable"] * (len(RUBBISH) - 2) + ["unknown_book", "not_permitted"]
    assert "ann" in intake.book("shop").parties


def test_blank_lines_are_skipped_and_line_ends_may_be_either() -> None:
    stream = io.BytesIO(b"\n  \r\n" + line(OPEN) + b"\r\n\n" + line(PARTY))
    assert [(number, out.key) for number, out in read_lines(stream)] == [(3, b"shop"), (5, b"shop")]


def test_bytes_are_passed_on_as_they_are() -> None:
    value = b'  {"book":"shop","x":1.0}\xff '
    assert [out.value for _, out in read_lines(io.BytesIO(value + b"\n"))] == [value]


@pytest.mark.parametrize("extra", [0, 1, 10_000_000])
def test_a_line_over_the_limit_is_refused_by_number_without_filling_the_memory(extra: int) -> None:
    # A valid command, then blanks: cut anywhere it would still be one, so a cut must not be decided.
    long = line(PARTY).ljust(MOST_BYTES + extra)
    stream = io.BytesIO(line(OPEN) + b"\n" + long + b"\n" + line(PARTY, id="next", party="bob"))
    tracemalloc.start()
    try:
        numbered = list(read_lines(stream))
        assert tracemalloc.get_traced_memory()[1] < 3 * MOST_BYTES
    finally:
        tracemalloc.stop()
    assert [number for number, _ in numbered] == [1, 2, 3]
    intake = Intake()
    told = [decode_event(answer[0]) for answer in intake.submit([out for _, out in numbered])]
    assert isinstance(told[1], CommandRejected) == (extra > 0)
    assert list(intake.book("shop").parties) == (["bob"] if extra else ["ann", "bob"])


def test_a_line_may_have_exactly_the_limit() -> None:
    stream = io.BytesIO(b"1234\n12345\n1234\r\n\n123456789\n12345\r\n1234")
    assert list(bounded_lines(stream, 4)) == [b"1234", None, b"1234", b"", None, None, b"1234"]


def test_a_key_is_the_book_or_else_the_system_book() -> None:
    assert key_of(b'{"book": "Gr\xc3\xbc\xc3\x9fe"}') == "Grüße".encode()
    for value in RUBBISH[:9]:
        assert key_of(value) == SYSTEM_BOOK.encode()


def test_what_a_line_leaves_out_is_filled_in_only_when_asked() -> None:
    given = {key: value for key, value in PARTY.items() if key not in ("id", "actor", "issued_at_ms")}
    stream = line(given) + b"\n" + line(PARTY) + b"\nrubbish"
    filled = [out.value for _, out in read_lines(io.BytesIO(stream), stamps("ann", lambda: 17))]
    assert json.loads(filled[0]) == given | {"id": "line-17-1", "actor": "ann", "issued_at_ms": 17}
    assert json.loads(filled[1]) == PARTY
    assert filled[2] == b"rubbish"
