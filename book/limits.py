"""What raises a limit for one account or party, for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.state import Account, Book, Party
from book.usage import Raise
from schemas.limits import LimitRaised, LimitRaiseExpired


def raise_timer(by: str, holder: str, limit: str) -> str:
    """The id of the timer that ends a raise."""
    return f"limit_raise\n{by}\n{holder}\n{limit}"


def limit_raised(book: Book, event: LimitRaised) -> None:
    """The limit is higher, whatever raise there was before."""
    holder = _holder(book, event.by, event.holder)
    holder.raises = {**(holder.raises or {}), event.limit: Raise(event.most, event.until_ms)}
    book.timers.set(raise_timer(event.by, event.holder, event.limit), event.until_ms)


def limit_raise_expired(book: Book, event: LimitRaiseExpired) -> None:
    """The limit is as its document says."""
    holder = _holder(book, event.by, event.holder)
    assert holder.raises is not None, "a raise that expires stood"
    del holder.raises[event.limit]
    holder.raises = holder.raises or None
    book.timers.remove(raise_timer(event.by, event.holder, event.limit))


def _holder(book: Book, by: str, holder: str) -> Account | Party:
    return book.accounts[holder] if by == "account" else book.parties[holder]


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    LimitRaised: limit_raised,
    LimitRaiseExpired: limit_raise_expired,
}
