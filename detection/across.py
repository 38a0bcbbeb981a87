"""What is noticed over all books: a payee that many pay, a device of many, a party that money runs through.

One fold for each subject, over hopping windows of book time (`detection/hopping.py`). Every flag that it
tells is a function of the window alone, never of the order in which books were heard, up to the bounds below:
the same sightings, in any order across books, tell the same flags in the end, each with the same id and the
same content, so whoever hosts it may repeat anything, and two hosts may do the same work.

- It tells a book where it has seen the subject itself within the window. What it says of a book is taken from
  the book's own first sighting there, the only one that is the same in every order.
- Every measure only grows with what is seen, so that a window which has told something never takes it back.
- A sighting that is heard again tells again what it told, because the first telling may have got lost.

Memory is bounded: what no window needs is forgotten, members saturate at what is looked for, and books and
movements at `MOST_BOOKS` and `MOST_MOVEMENTS` a hop. Beyond these two the order is not free any more: those
that are heard first are the ones that count, and what they have told stands. Both are far above what is
looked for; only a sum (`passes_on`) of many small movements can still come to less than all of them would.
It must never decide anything: flags are for rules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec

from commands.calendar import local_date
from detection.hopping import Hopping
from detection.sightings import Sighting, Subject
from schemas.alerts import Alert, alert_id, held
from schemas.flags import RaiseFlag, Seen

SYSTEM: Final = "triage"
"""The system that everything here speaks as."""
VERSION: Final = 1
"""Of the definitions below, as it stands in the alerts. A change of them is another version."""
MOST_BOOKS: Final = 64
MOST_MOVEMENTS: Final = 512
DAY_MS: Final = 86_400_000

Measure = Literal["parties", "books", "passed_on"]
"""parties: how many of all books.   passed_on: the lesser of what came and what left, minor units."""


class Watch(msgspec.Struct, frozen=True):
    """Something that is looked for. least: from how much on.   confidence: per mille, of flag and alert."""

    subject: Subject
    flag: str
    measure: Measure
    least: int
    confidence: int


class Watching(msgspec.Struct, frozen=True):
    """What is looked for, and for how long a flag stands after the window that told it."""

    watches: tuple[Watch, ...] = (
        Watch("payee", "many_payers", "parties", 10, 600),
        Watch("payee", "payers_in_many_books", "books", 3, 700),
        Watch("device", "many_parties", "parties", 4, 700),
        Watch("device", "in_many_books", "books", 3, 700),
        Watch("party", "passes_on", "passed_on", 1_000_000, 500),
    )
    hopping: Hopping = Hopping()
    stands_ms: int = 7 * DAY_MS

    def of(self, subject: Subject) -> tuple[Watch, ...]:
        """What is looked for in a subject."""
        return tuple(one for one in self.watches if one.subject == subject)


class First(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The first sighting of a book in a hop. amount: what came and left with it."""

    at: int
    seq: int
    time_zone: str
    currency: str
    amount: int


class Told(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What was told, and by which sighting."""

    window: int
    flag: str
    book: str
    by_book: str
    by_seq: int


class Hop(msgspec.Struct, array_like=True):
    """What was seen in one hop. movements: those that are in the sums."""

    number: int
    members: list[tuple[str, str]]
    books: dict[str, First]
    paid_in: int
    paid_out: int
    movements: list[tuple[str, int]]


class Seeing(msgspec.Struct, array_like=True):
    """What is kept of a subject. hops: in their order.   late: how many sightings came too late."""

    hops: list[Hop]
    told: list[Told]
    late: int


class Telling(msgspec.Struct, frozen=True):
    """What a book is told: a flag for its rules, an alert for its cases."""

    flag: RaiseFlag
    alert: Alert


def nothing_seen() -> Seeing:
    """What is kept of a subject that is seen for the first time."""
    return Seeing([], [], 0)


def see(state: Seeing, sighting: Sighting, watching: Watching) -> Sequence[Telling]:
    """Take a sighting in; returns what is to be told because of it. The state is changed."""
    hopping = watching.hopping
    number = hopping.hop(sighting.at)
    newest = state.hops[-1].number if state.hops else number
    if hopping.too_late(number, newest):
        state.late += 1
        return ()
    watches = watching.of(sighting.subject)
    _add(_hop(state, number), sighting, watches)
    if number > newest:
        _forget(state, hopping.oldest(number))
    found: list[Telling] = []
    for window in hopping.touched(number, [one.number for one in state.hops]):
        hops = [one for one in state.hops if hopping.within(window, one.number)]
        for watch in watches:
            if _measured(hops, watch.measure) >= watch.least:
                found += _tell(state, window, hops, watch, sighting, watching)
    return found


def newest_of(state: Seeing) -> int:
    """The newest hop in which the subject was seen."""
    return state.hops[-1].number if state.hops else -1


def _hop(state: Seeing, number: int) -> Hop:
    for index in range(len(state.hops) - 1, -1, -1):
        hop = state.hops[index]
        if hop.number == number:
            return hop
        if hop.number < number:
            state.hops.insert(index + 1, made := Hop(number, [], {}, 0, 0, []))
            return made
    state.hops.insert(0, made := Hop(number, [], {}, 0, 0, []))
    return made


def _add(hop: Hop, sighting: Sighting, watches: Sequence[Watch]) -> None:
    first = hop.books.get(sighting.book)
    if first is None and len(hop.books) >= MOST_BOOKS:
        return
    if first is None or sighting.seq < first.seq:
        hop.books[sighting.book] = First(
            sighting.at,
            sighting.seq,
            sighting.time_zone,
            sighting.currency,
            held(sighting.paid_in + sighting.paid_out),
        )
    member = sighting.book, sighting.party
    most = max((one.least for one in watches if one.measure == "parties"), default=0)
    if len(hop.members) < most and member not in hop.members:
        hop.members.append(member)
    if any(one.measure == "passed_on" for one in watches):
        movement = sighting.book, sighting.seq
        if len(hop.movements) < MOST_MOVEMENTS and movement not in hop.movements:
            hop.movements.append(movement)
            hop.paid_in = held(hop.paid_in + sighting.paid_in)
            hop.paid_out = held(hop.paid_out + sighting.paid_out)


def _measured(hops: Sequence[Hop], measure: Measure) -> int:
    if measure == "passed_on":
        return min(sum(one.paid_in for one in hops), sum(one.paid_out for one in hops))
    if measure == "books":
        return len({book for one in hops for book in one.books})
    return len({member for one in hops for member in one.members})


def _forget(state: Seeing, oldest: int) -> None:
    state.hops = [one for one in state.hops if one.number >= oldest]
    state.told = [one for one in state.told if one.window >= oldest]


def _tell(
    state: Seeing, window: int, hops: Sequence[Hop], watch: Watch, sighting: Sighting, watching: Watching
) -> Iterator[Telling]:
    firsts: dict[str, First] = {}
    for hop in hops:
        for book, first in hop.books.items():
            firsts.setdefault(book, first)
    told = {one.book: one for one in state.told if one.window == window and one.flag == watch.flag}
    for book in sorted(firsts):
        before = told.get(book)
        if before is None:
            state.told.append(Told(window, watch.flag, book, sighting.book, sighting.seq))
        elif (before.by_book, before.by_seq) != (sighting.book, sighting.seq):
            continue
        yield _telling(book, window, firsts[book], watch, sighting, watching)


def _telling(
    book: str, window: int, first: First, watch: Watch, sighting: Sighting, watching: Watching
) -> Telling:
    currency = sighting.currency if watch.measure == "passed_on" else ""
    evidence = (Seen(book=book, seq=first.seq),)
    words = _WORDS[watch.flag].format(
        least=_least(watch, currency), hours=watching.hopping.size_ms // 3_600_000
    )
    what = f"{watch.subject}\n{watch.flag}\n{window}\n{book}\n{currency}\n{sighting.of}"
    flag = RaiseFlag(
        id=f"flag-{hashlib.blake2b(what.encode(), digest_size=16).hexdigest()}",
        book=book,
        actor=SYSTEM,
        issued_at_ms=first.at,
        subject=watch.subject,
        of=sighting.of,
        flag=watch.flag,
        expires_at_ms=watching.hopping.ends_ms(window) + watching.stands_ms,
        score=watch.confidence,
        reason=words,
        evidence=evidence,
    )
    alert = Alert(
        id=alert_id(book, watch.flag, sighting.of, f"{window}{currency}"),
        source="stream",
        kind=watch.flag,
        version=VERSION,
        book=book,
        at=first.at,
        first_at=first.at,
        day=local_date(first.time_zone, first.at).isoformat(),
        party=sighting.of if watch.subject == "party" else "",
        payee=sighting.of if watch.subject == "payee" else "",
        device=sighting.of if watch.subject == "device" else "",
        currency=first.currency,
        amount=watch.least if watch.measure == "passed_on" else first.amount,
        confidence=watch.confidence,
        figures={"least": watch.least, "window": window},
        words=words,
        evidence=evidence,
    )
    return Telling(flag, alert)


_WORDS: Final = {
    "many_payers": "Within {hours} hours at least {least} parties, over all books, pay this payee.",
    "payers_in_many_books": "Within {hours} hours parties of at least {least} books pay this payee.",
    "many_parties": "Within {hours} hours at least {least} parties, over all books, use this device.",
    "in_many_books": "Within {hours} hours this device is used in at least {least} books.",
    "passes_on": "Within {hours} hours at least {least} came to this party and left it, over all books.",
}


def _least(watch: Watch, currency: str) -> str:
    return f"{watch.least} minor units of {currency}" if currency else str(watch.least)
