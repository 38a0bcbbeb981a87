"""The page codec against its naive twin: what goes in comes out, and damage never does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import LogCorrupt
from engine.log.pages import decode, encode
from engine.log.records import Headers, Out, Record

few = st.sampled_from([b"", b"a", b"b"])  # so that columns are often equal
names = st.sampled_from(["key", "mac", "Ω"])
headers: st.SearchStrategy[Headers] = st.lists(st.tuples(names, few), max_size=3).map(tuple)
some = st.builds(Out, few | st.binary(), few | st.binary(), headers)
alike = st.builds(Out, few, few, few.map(lambda value: (("key", value), ("mac", b"m"))))
rows = st.lists(some) | st.lists(alike)


@given(rows, st.integers(0, 2**62), st.data())
def test_a_row_comes_back_as_it_was(outs: list[Out], first: int, data: st.DataObject) -> None:
    each = data.draw(st.lists(st.sampled_from([5, 6]), min_size=len(outs), max_size=len(outs)))
    times = data.draw(st.just(7) | st.just(each))
    after = data.draw(st.integers(first - 2, first + len(outs) + 1))
    row = decode("events-0", 3, encode("events-0", 3, 2**62, first, outs, times))
    naive = [
        Record(out.key, out.value, first + i, times if isinstance(times, int) else times[i], out.headers)
        for i, out in enumerate(outs)
    ]
    assert row.records() == naive
    assert row.records(after) == [record for record in naive if record.offset > after]
    assert row.last == first + len(outs) - 1


@given(rows, st.data())
def test_a_damaged_row_is_never_taken_for_whole(outs: list[Out], data: st.DataObject) -> None:
    state = bytearray(encode("events-0", 3, 9, 0, outs, 7))
    at = data.draw(st.integers(0, len(state) - 1))
    state[at] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(state) - 1))
    for damaged in (bytes(state), bytes(state[:cut])):
        with pytest.raises(LogCorrupt, match="Page 3 of events-0") as error:
            decode("events-0", 3, damaged)
        assert error.value.page == 3


def test_a_row_in_the_place_of_another_is_found() -> None:
    state = encode("events-0", 3, 9, 0, [Out(b"k", b"v")], 7)
    for stream, page in (("events-0", 4), ("commands-0", 3), ("events-1", 3)):
        with pytest.raises(LogCorrupt, match="holds page 3 of events-0"):
            decode(stream, page, state)


def test_what_is_the_same_for_all_is_stored_once() -> None:
    head = (("key", b"K" * 50), ("mac", b"M"))
    outs = [Out(b"B" * 50, b"%d" % number, head) for number in range(100)]
    assert len(encode("events-0", 3, 9, 0, outs, [7] * 100)) < 600
