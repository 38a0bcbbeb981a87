"""Which counters are kept: those of the features that documents of rules in force name."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from book.features.counts import AccountCounts, Keeping
from book.features.seen import Sharing
from book.state import Book
from schemas.features import FEATURES

_PAYS = ("payees", "recent", "payers")
_ASKS = ("devices", "channels", "corridors", "payee_countries", "countries", "country", "device_parties")
_OF_PARTY = {"party_out_24h": "out_24h", "party_out_7d": "out_7d"}
_OF_BOOK = ("payers", "device_parties")
_OF_ACCOUNT: dict[str, tuple[str, ...]] = {
    **{
        name: (name,)
        for name in Keeping.__struct_fields__
        if name in AccountCounts.__struct_fields__ and name != "country"
    },
    "country": ("country", "country_ms"),
    "last": ("last_out_ms", "last_in_ms"),
}
COUNTERS = (*_OF_ACCOUNT, *_OF_PARTY, *_OF_BOOK)
"""Everything that can be kept, by the names that `Feature.keeps` uses."""
_EMPTY = msgspec.structs.asdict(AccountCounts())


def keep(book: Book, names: Iterable[str]) -> None:
    """From here on count what these features need, and nothing else. What was counted already goes on.

    It is called by the event that puts a document of rules into force. Where a counter is not needed any more
    every account is looked at once, so that it begins anew if it is ever needed again.
    """
    in_force = book.in_force
    in_force.kept_features = tuple(sorted(set(names)))
    wanted = {counter for name in in_force.kept_features for counter in FEATURES[name].keeps}
    before = {} if in_force.keeping is None else in_force.keeping.since
    since = {counter: before.get(counter, book.at) for counter in COUNTERS if counter in wanted}
    gone = [counter for counter in before if counter not in since]
    in_force.keeping = _keeping(since) if since else None
    if gone:
        _forget(book, gone)


def _keeping(since: dict[str, int]) -> Keeping:
    pays, asks = any(one in since for one in _PAYS), any(one in since for one in _ASKS)
    return Keeping(since, pays, asks, **dict.fromkeys(since, True))


def _forget(book: Book, gone: list[str]) -> None:
    fields = [field for counter in gone for field in _OF_ACCOUNT.get(counter, ())]
    nothing = book.in_force.keeping is None
    for account in book.accounts.values():
        if account.counts is not None:
            _empty(account.counts, fields)
            if nothing:
                account.counts = None
    for counter in _OF_BOOK:
        if counter in gone:
            setattr(book.counts, counter, Sharing())
    of_party = [_OF_PARTY[counter] for counter in gone if counter in _OF_PARTY]
    for party in book.parties.values():
        if party.counts is not None and of_party:
            for one in (party.counts, *(party.counts.others or {}).values()):
                for field in of_party:
                    setattr(one, field, None)
            if nothing:
                party.counts = None


def _empty(counts: AccountCounts, fields: list[str]) -> None:
    for field in fields:
        setattr(counts, field, _EMPTY[field])
