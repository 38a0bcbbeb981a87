"""Flags over all books: the same in every order in which books are heard, told again when heard again."""

import itertools
import random
from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as some

from detection.across import MOST_MOVEMENTS, Seeing, Telling, Watch, Watching, newest_of, nothing_seen, see
from detection.hopping import HOUR_MS, Hopping
from detection.sightings import Sighting
from schemas.alerts import decode_alert, encode_alert
from schemas.catalogue import encode

START = 1_700_000_000_000 // (24 * HOUR_MS) * (24 * HOUR_MS)
WATCHING = Watching(
    watches=(
        Watch("payee", "many_payers", "parties", 3, 600),
        Watch("payee", "payers_in_many_books", "books", 3, 700),
        Watch("party", "passes_on", "passed_on", 1_000, 500),
    )
)


def paid(book: str, seq: int, hours: float, party: str = "p", *, of: str = "mule") -> Sighting:
    at = START + int(hours * HOUR_MS)
    return Sighting("payee", of, "wall", "Europe/Berlin", book, seq, at, party, "EUR", paid_out=500)


def flags(sightings: Sequence[Sighting], watching: Watching = WATCHING) -> dict[str, bytes]:
    """Every flag that was told, by its id; the same id never has two contents."""
    state = nothing_seen()
    found: dict[str, bytes] = {}
    for one in sightings:
        for telling in see(state, one, watching):
            value = encode(telling.flag)
            assert found.setdefault(telling.flag.id, value) == value
    assert state.late == 0
    return found


def told(sightings: Sequence[Sighting]) -> list[Telling]:
    state = nothing_seen()
    return [telling for one in sightings for telling in see(state, one, WATCHING)]


def names(tellings: Sequence[Telling]) -> list[tuple[str, str]]:
    return [(one.flag.book, one.flag.flag) for one in tellings]


def test_a_payee_whom_many_pay_is_flagged_in_each_book_that_has_paid_it() -> None:
    tellings = told([paid("a", 1, 1, "x"), paid("a", 2, 2, "y"), paid("b", 7, 3, "x")])
    assert names(tellings) == [("a", "many_payers"), ("b", "many_payers")]
    first = tellings[0]
    assert first.flag.of == "mule"
    assert [(one.book, one.seq) for one in first.flag.evidence] == [("a", 1)]
    assert first.alert.payee == "mule"
    assert first.alert.source == "stream"
    assert (first.alert.party, first.alert.amount, first.alert.day) == ("", 500, "2023-11-14")


def test_a_book_that_comes_to_pay_it_later_is_told_too_and_the_others_not_again() -> None:
    before = [paid("a", 1, 1, "x"), paid("a", 2, 2, "y"), paid("a", 3, 2, "z")]
    assert names(told([*before, paid("d", 9, 2.5, "x")])[1:]) == [("d", "many_payers")]


def test_the_same_payer_again_and_again_is_one_payer() -> None:
    assert told([paid("a", seq, seq / 10, "x") for seq in range(1, 20)]) == []


def test_a_payer_is_one_of_its_book() -> None:
    assert names(told([paid(book, 1, 1, "x") for book in "abc"])) == [
        (book, flag) for flag in ("many_payers", "payers_in_many_books") for book in "abc"
    ]


def test_what_lies_further_apart_than_a_window_is_not_added_up() -> None:
    assert told([paid("a", 1, 0, "x"), paid("a", 2, 1, "y"), paid("a", 3, 24, "z")]) == []
    assert names(told([paid("a", 1, 3, "x"), paid("a", 2, 4, "y"), paid("a", 3, 24, "z")])) != []


def test_a_flag_outlives_the_window_that_told_it() -> None:
    [telling] = told([paid("a", 1, 1, "x"), paid("a", 2, 2, "y"), paid("a", 3, 2.5, "z")])
    assert telling.flag.expires_at_ms == START + 3 * HOUR_MS + WATCHING.stands_ms
    assert telling.flag.issued_at_ms == START + HOUR_MS


def test_a_sighting_heard_again_tells_again_what_it_told() -> None:
    state = nothing_seen()
    before = [paid("a", 1, 1, "x"), paid("a", 2, 2, "y"), paid("b", 3, 2.5, "z")]
    first = [see(state, one, WATCHING) for one in before]
    again = [see(state, one, WATCHING) for one in before]
    assert first == again
    assert first[2]


def test_what_comes_too_late_is_counted_and_tells_nothing() -> None:
    state = nothing_seen()
    for one in (paid("a", 1, 100, "x"), paid("a", 2, 100, "y")):
        see(state, one, WATCHING)
    assert see(state, paid("b", 1, 70, "z"), WATCHING) == ()
    assert state.late == 1


def passing(book: str, seq: int, hours: float, paid_in: int = 0, paid_out: int = 0) -> Sighting:
    at = START + int(hours * HOUR_MS)
    return Sighting("party", "p", "wall", "UTC", book, seq, at, "p", "EUR", paid_in, paid_out)


def test_a_party_that_money_comes_to_in_one_book_and_leaves_in_another_is_flagged_in_both() -> None:
    tellings = told([passing("a", 1, 1, paid_in=1_500), passing("b", 1, 2, paid_out=1_000)])
    assert names(tellings) == [("a", "passes_on"), ("b", "passes_on")]
    assert tellings[0].alert.party == "p"
    assert tellings[0].alert.amount == 1_000


def test_a_movement_heard_twice_is_counted_once() -> None:
    once = [passing("a", 1, 1, paid_in=1_500), passing("b", 1, 2, paid_out=500)]
    assert told([*once, once[1], once[1]]) == []


def test_sums_end_where_no_reader_could_take_them() -> None:
    most = 2**63 - 1
    state = nothing_seen()
    sightings = [passing("a", seq, 1, paid_in=most, paid_out=most) for seq in range(1, 5)]
    told = [one for sighting in sightings for one in see(state, sighting, WATCHING)]
    assert (state.hops[0].paid_in, state.hops[0].paid_out) == (most, most)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Seeing) == state
    for one in told:
        assert decode_alert(encode_alert(one.alert)) == one.alert


def test_memory_is_bounded_whatever_is_seen() -> None:
    state = nothing_seen()
    for seq in range(1, 20_000):
        see(state, paid(f"b{seq % 200}", seq, seq / 200, f"p{seq}"), WATCHING)
        see(state, passing("a", seq, seq / 200, paid_in=1), WATCHING)
    assert len(state.hops) <= 16
    assert all(len(one.members) <= 3 for one in state.hops)
    assert all(len(one.movements) <= MOST_MOVEMENTS for one in state.hops)
    assert len(state.told) <= 16 * 3 * 64


@settings(max_examples=300, deadline=None)
@given(some.data())
def test_the_order_in_which_books_are_heard_changes_nothing(data: some.DataObject) -> None:
    """Each book's own order is kept, as the log keeps it; everything else is chance, repeats included."""
    watching = Watching(watches=WATCHING.watches, hopping=Hopping(12 * HOUR_MS, 3 * HOUR_MS, 48 * HOUR_MS))
    count = data.draw(some.integers(2, 4))
    books: list[list[Sighting]] = []
    for number in range(count):
        hours = sorted(data.draw(some.lists(some.integers(0, 47), min_size=1, max_size=8)))
        books.append(
            [
                paid(f"b{number}", seq, hour, data.draw(some.sampled_from("xyz")))
                for seq, hour in enumerate(hours, 1)
            ]
        )
    seed = data.draw(some.integers(0, 2**32))
    by_time = sorted(itertools.chain(*books), key=lambda one: (one.at, one.book, one.seq))
    assert flags(by_time, watching) == flags(_mixed(books, random.Random(seed)), watching)


@settings(max_examples=300, deadline=None)
@given(
    some.lists(
        some.lists(some.tuples(some.integers(0, 47), some.integers(0, 400), some.booleans()), max_size=8),
        min_size=2,
        max_size=4,
    ),
    some.integers(0, 2**32),
)
def test_nor_does_it_for_sums(plan: list[list[tuple[int, int, bool]]], seed: int) -> None:
    watching = Watching(watches=WATCHING.watches, hopping=Hopping(12 * HOUR_MS, 3 * HOUR_MS, 48 * HOUR_MS))
    books = [
        [
            passing(f"b{number}", seq, hour, amount if comes else 0, 0 if comes else amount)
            for seq, (hour, amount, comes) in enumerate(sorted(one), 1)
        ]
        for number, one in enumerate(plan)
    ]
    by_time = sorted(itertools.chain(*books), key=lambda one: (one.at, one.book, one.seq))
    assert flags(by_time, watching) == flags(_mixed(books, random.Random(seed)), watching)


def _mixed(books: Sequence[Sequence[Sighting]], rng: random.Random) -> list[Sighting]:
    """Any interleaving; some of a book are heard again, in a stretch from an earlier one on."""
    places = [0] * len(books)
    found: list[Sighting] = []
    while any(place < len(book) for place, book in zip(places, books, strict=True)):
        which = rng.choice([n for n, book in enumerate(books) if places[n] < len(book)])
        found.append(books[which][places[which]])
        places[which] += 1
        if rng.random() < 0.2:
            places[which] = max(0, places[which] - rng.randint(0, 3))
    return found


def test_what_is_kept_round_trips_through_a_table() -> None:
    state = nothing_seen()
    for one in (paid("a", 1, 1, "x"), paid("a", 2, 2, "y"), paid("b", 3, 2.5, "z")):
        see(state, one, WATCHING)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Seeing)
    assert again == state
    assert newest_of(again) == newest_of(state) > 0
