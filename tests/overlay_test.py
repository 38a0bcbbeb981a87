"""A book to try things on: equal to the real one, which nothing that is tried can change."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from book.digest import book_digest
from book.layers import LayeredDict, LayeredList
from book.overlay import changeable, changeable_fields, layered, overlay
from book.state import SYSTEM_BOOK, Book
from book.timers import Timers
from commands.attempt import attempt
from schemas.catalogue import decode_command, decode_event, encode
from schemas.message import ENVELOPE, Event
from schemas.rejections import UNREMEMBERED, CommandRejected, CommandRepeated
from tests.overlays import told
from tests.random_bank import Bank
from tests.story import account, balance, given, story, transfer

_PLAIN = st.integers(0, 9)


class Part(msgspec.Struct):
    """Something that changes in place."""

    count: int = 0
    parts: dict[int, int] = {}


def test_every_field_of_the_state_is_of_a_kind_that_an_overlay_can_copy() -> None:
    """Where this fails, a new field holds what `book/overlay.py` cannot copy: teach it that, or use less."""
    seen: set[type] = set()

    def look_at(kind: Any) -> None:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in seen:
            seen.add(kind)
            for one in get_type_hints(kind, include_extras=True).values():
                changeable(one)
                look_at(one)
        for one in getattr(kind, "__args__", ()):
            look_at(one)

    look_at(Book)
    assert {Book, Timers} < seen
    assert {"accounts", "timers", "posted", "in_force", "repeats"} <= set(changeable_fields(Book))


def test_a_kind_of_field_that_is_not_known_is_refused() -> None:
    for kind in (set[str], bytearray, list[set[str]], dict[str, bytearray], object, float):
        with pytest.raises(TypeError, match="does not know how to copy"):
            changeable(kind)
    with pytest.raises(TypeError, match="does not know how to copy"):
        layered({1})


def test_only_timers_keep_a_heap() -> None:
    """`heapq` reads a list's memory, where a layer has not all of it; timers have a layer of their own."""
    for file in Path(__file__).parent.parent.joinpath("book").glob("*.py"):
        if file.name not in ("timers.py", "overlay.py"):
            assert "import heapq" not in file.read_text(encoding="utf-8"), file.name


def test_nothing_is_copied_that_is_not_read() -> None:
    given(account("alice", 100), account("bob", 5))
    real = story().book
    tried = overlay(real)
    assert not dict.__len__(tried.accounts)
    assert len(tried.accounts) == len(real.accounts)
    tried.accounts["alice"].booked -= 30
    assert dict.__len__(tried.accounts) == 1
    assert (tried.accounts["alice"].booked, balance("alice")) == (70, 100)
    assert tried.accounts["nostro"].booked == balance("nostro")


def test_an_overlay_over_an_overlay_sees_both_below() -> None:
    given(account("alice", 100))
    first = overlay(story().book)
    first.accounts["alice"].booked = 80
    first.timers.set("x", 7)
    second = overlay(first)
    second.accounts["alice"].booked = 60
    second.timers.remove("x")
    assert [one.accounts["alice"].booked for one in (story().book, first, second)] == [100, 80, 60]
    assert [one.timers.due.get("x") for one in (story().book, first, second)] == [None, 7, None]


def test_an_attempt_says_what_would_happen_and_does_nothing() -> None:
    given(account("alice", 100), account("bob"))
    before = book_digest(story().book)
    command = story().command(transfer("alice", "bob", 30))
    events, refused = attempt(story().book, command, story().now)
    assert refused is None
    assert [one.amount for one in events[0].postings] == [-30, 30]  # type: ignore[attr-defined]
    _, refused = attempt(story().book, story().command(transfer("alice", "bob", 300)), story().now)
    assert refused is not None
    assert refused.reason == "insufficient_funds"
    assert book_digest(story().book) == before


# --- layers against the plain ones ------------------------------------------------------------------------


@drawn(st.dictionaries(_PLAIN, _PLAIN), st.randoms(use_true_random=False))
def test_a_layered_dict_does_what_a_dict_does(below: dict[int, int], chance: random.Random) -> None:
    real, kept = dict(below), dict(below)
    tried: dict[int, int] = LayeredDict(below, layered)
    for _ in range(30):
        key, value = chance.randrange(10), chance.randrange(10)
        match chance.randrange(12):
            case 0 | 1 | 2:
                real[key] = tried[key] = value
            case 3 | 4:
                assert real.pop(key, None) == tried.pop(key, None)
            case 5:
                assert real.setdefault(key, value) == tried.setdefault(key, value)
            case 6 if real:
                assert real.popitem() == tried.popitem()
            case 7:
                real.update({key: value})
                tried.update({key: value})
            case 8 if chance.random() < 0.1:
                real.clear()
                tried.clear()
            case 9:
                assert (key in real) == (key in tried)
                assert real.get(key) == tried.get(key)
            case 10 if key not in real:
                with pytest.raises(KeyError):
                    tried[key]
                with pytest.raises(KeyError):
                    del tried[key]
            case _:
                real |= {key: value}
                tried |= {key: value}
        assert list(real.items()) == list(tried.items()) == list({**tried}.items())
        assert (len(real), bool(real), list(reversed(real))) == (
            len(tried),
            bool(tried),
            list(reversed(tried)),
        )
        assert tried == real
        assert real | {1: 2} == tried | {1: 2}
    assert below == kept


@drawn(st.lists(_PLAIN, max_size=8), st.randoms(use_true_random=False))
def test_a_layered_list_does_what_a_list_does(below: list[int], chance: random.Random) -> None:
    real, kept = list(below), list(below)
    tried: list[int] = LayeredList(below, layered)
    for _ in range(30):
        place, value = chance.randrange(len(real) + 1), chance.randrange(10)
        match chance.randrange(12):
            case 0 | 1:
                real.append(value)
                tried.append(value)
            case 2:
                real += (value, place)
                tried += (value, place)
            case 3 if real:
                assert real.pop() == tried.pop()
            case 4 if place < len(real):
                del real[place], tried[place]
            case 5:
                del real[-2:], tried[-2:]
            case 6:
                real.insert(place, value)
                tried.insert(place, value)
            case 7 if value in real:
                real.remove(value)
                tried.remove(value)
                assert (value in real) == (value in tried)
            case 8 if real:
                real[-1] = tried[-1] = value
            case 9:
                real[place:place] = tried[place:place] = [value, value]
            case 10:
                real[:1] = tried[:1] = []
            case 11 if chance.random() < 0.3:
                real.sort()
                tried.sort()
            case _:
                real[::2], tried[::2] = real[::2], tried[::2]
        assert real == list(tried) == tried[:] == sorted(tried, key=lambda one: 0)
        assert (len(real), bool(real), real[2:5]) == (len(tried), bool(tried), tried[2:5])
        assert list(reversed(real)) == list(reversed(tried))
        assert [real.count(value), real[-1:], [*real, 1]] == [tried.count(value), tried[-1:], [*tried, 1]]
    with pytest.raises(IndexError):
        tried[len(real)]
    assert below == kept


def test_what_a_layer_gives_is_a_copy_that_stays() -> None:
    below = {"a": [Part(1, {2: 3})]}
    tried = LayeredDict(below, layered)
    tried["a"][0].count += 1
    tried["a"][0].parts[2] += 1
    tried["a"].append(Part())
    assert told(tried) == [("a", [("Part", [2, [(2, 4)]]), ("Part", [0, []])])]
    assert below == {"a": [Part(1, {2: 3})]}


@drawn(st.lists(st.tuples(_PLAIN, _PLAIN), max_size=12), st.randoms(use_true_random=False))
def test_layered_timers_fire_in_the_same_order(first: list[tuple[int, int]], chance: random.Random) -> None:
    below, real = Timers(), Timers()
    for number, due in first:
        below.set(f"t{number}", due)
        real.set(f"t{number}", due)
    kept = dict(below.due)
    tried = layered(below)
    for _ in range(20):
        name, due = f"t{chance.randrange(10)}", chance.randrange(10)
        if chance.random() < 0.5:
            real.set(name, due)
            tried.set(name, due)
        else:
            real.remove(name)
            tried.remove(name)
        assert (real.next(), dict(real.due)) == (tried.next(), dict(tried.due.items()))
    while (due_next := real.next()) is not None:
        assert tried.next() == due_next
        real.remove(due_next[1])
        tried.remove(due_next[1])
    assert tried.next() is None
    assert below.due == kept


# --- any history ------------------------------------------------------------------------------------------


@settings(max_examples=15)
@drawn(st.integers(0, 2**32))
def test_an_attempt_gives_what_the_book_then_decides(seed: int) -> None:
    bank = Bank(seed)
    compared = 0
    for _ in range(120):
        bank.now += bank.chance.choice((0, 1, 1000, 60_000))
        record = bank._next()
        try:
            command = decode_command(record.value)
        except ValueError:
            bank.submit(record)
            continue
        book = bank.worker.folded.partition.books.get(command.book, bank.worker.folded.partition.system)
        at = max(book.at, command.issued_at_ms)
        quiet = (book.timers.next() or (at + 1, ""))[0] > at
        before = book_digest(book)
        events, refused = attempt(book, command, at)
        assert book_digest(book) == before
        known = book.seq
        bank.submit(record)
        outcome = _since(bank, book.id, known)
        first = outcome[0]
        if not quiet or isinstance(first, CommandRepeated):
            continue
        if isinstance(first, CommandRejected):
            if first.reason not in UNREMEMBERED and book.id != SYSTEM_BOOK:
                assert refused is not None
                assert (first.reason, first.figures) == (refused.reason, refused.figures)
                compared += 1
            continue
        assert refused is None
        assert [_content(one) for one in events] == [_content(one) for one in outcome]
        compared += 1
    assert compared > 20


def _since(bank: Bank, book: str, seq: int) -> list[Event]:
    found = []
    for record in bank.log.events(-1):
        event = decode_event(record.value)
        if event.book == book and event.seq > seq:
            found.append(event)
    return found


def _content(event: Event) -> bytes:
    """The event as stored, without its envelope, which an attempt need not fill."""
    parts = {name: getattr(event, name) for name in event.__struct_fields__ if name not in ENVELOPE}
    return encode(parts)
