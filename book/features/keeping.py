"""Which counters are kept: those of the features that documents of rules in force name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from book.features.counts import AccountCounts, Keeping, PartyCounts
from book.features.seen import Sharing
from book.features.turnover import SPANS, Span, Turnover
from book.state import Book
from schemas.features import FEATURES

Windows = dict[str, tuple[str, Span]]
WINDOWS: Windows = {
    **{f"out_{span}": ("out", SPANS[span]) for span in ("1h", "24h", "7d", "30d")},
    **{f"in_{span}": ("into", SPANS[span]) for span in ("24h", "7d")},
    "declined_24h": ("declined", SPANS["24h"]),
    "failed_30d": ("failed", SPANS["30d"]),
}
"""Windows of an account: in which turnover of its, and which."""
PARTY_WINDOWS: Windows = {f"party_out_{span}": ("out", SPANS[span]) for span in ("24h", "7d")}
_PAYS = ("payees", "recent", "payers")
_ASKS = ("devices", "channels", "corridors", "payee_countries", "countries", "country", "device_parties")
_OF_BOOK = ("payers", "device_parties")
_OF_ACCOUNT: dict[str, tuple[str, ...]] = {
    "last": ("last_out_ms", "last_in_ms"),
    "country": ("country", "country_ms"),
    **{name: (name,) for name in ("moments", "payees", "recent")},
    **{name: (name,) for name in ("devices", "channels", "corridors", "payee_countries", "countries")},
}
COUNTERS = (*WINDOWS, *PARTY_WINDOWS, *_OF_ACCOUNT, *_OF_BOOK)
"""Everything that can be kept, by the names that `Feature.keeps` uses."""
_EMPTY = msgspec.structs.asdict(AccountCounts())


def keep(book: Book, names: Iterable[str]) -> None:
    """From here on count what these features need, and nothing else. What was counted already goes on.

    It is called by the event that puts a document of rules into force. Where another set of counters was kept
    before, every account and party is looked at once.
    """
    in_force = book.in_force
    in_force.kept_features = tuple(sorted(set(names)))
    asked = (*in_force.kept_features, *in_force.wanted_features)
    wanted = {counter for name in asked for counter in FEATURES[name].keeps}
    before = {} if in_force.keeping is None else in_force.keeping.since
    since = {counter: before.get(counter, book.at) for counter in COUNTERS if counter in wanted}
    if before and since.keys() != before.keys():
        _change(
            book, [one for one in before if one not in since], [one for one in since if one not in before]
        )
    in_force.keeping = _keeping(since) if since else None
    if not since:
        for account in book.accounts.values():
            account.counts = None
        for party in book.parties.values():
            party.counts = None


def keep_also(book: Book, names: Iterable[str]) -> None:
    """Count what these features need too, whatever rules are in force: from a book's beginning on, so that
    what rules would have made of its history can be asked.
    """
    in_force = book.in_force
    in_force.wanted_features = tuple(sorted({*in_force.wanted_features, *names}))
    keep(book, in_force.kept_features)


def _keeping(since: dict[str, int]) -> Keeping:
    bits = dict.fromkeys(("out", "into", "party_out", "declined", "failed"), 0)
    for counter in since:
        if counter in WINDOWS:
            field, span = WINDOWS[counter]
            bits[field] |= span.bit
        elif counter in PARTY_WINDOWS:
            bits["party_out"] |= PARTY_WINDOWS[counter][1].bit
    kept: dict[str, bool] = {one: True for one in since if one in _OF_ACCOUNT or one in _OF_BOOK}
    kept["pays"] = any(one in since for one in _PAYS)
    kept["asks"] = any(one in since for one in _ASKS)
    return Keeping(since, **bits, **kept)  # type: ignore[arg-type] # numbers and truths by name


def _change(book: Book, gone: list[str], new: list[str]) -> None:
    """What is not needed any more is forgotten, so that it begins anew if it is ever needed again; windows
    that are new begin with what moves from here on.
    """
    fields = [field for counter in gone for field in _OF_ACCOUNT.get(counter, ())]
    for account in book.accounts.values():
        if account.counts is not None:
            for field in fields:
                setattr(account.counts, field, _EMPTY[field])
            _windows(account.counts, WINDOWS, gone, new)
    for party in book.parties.values():
        for one in _all(party.counts):
            _windows(one, PARTY_WINDOWS, gone, new)
    for counter in gone:
        if counter in _OF_BOOK:
            setattr(book.counts, counter, Sharing())


def _all(counts: PartyCounts | None) -> Iterator[PartyCounts]:
    if counts is not None:
        yield counts
        yield from (counts.others or {}).values()


def _windows(counts: AccountCounts | PartyCounts, windows: Windows, gone: list[str], new: list[str]) -> None:
    for counter in gone:
        if counter in windows:
            field, span = windows[counter]
            turnover: Turnover | None = getattr(counts, field)
            if turnover is not None:
                setattr(turnover, span.field, b"")
                if not any(getattr(turnover, one.field) for one in SPANS.values()):
                    setattr(counts, field, None)
    for counter in new:
        if counter in windows:
            field, span = windows[counter]
            turnover = getattr(counts, field)
            if turnover is not None:
                turnover.begin(span)
