"""Money that is booked and cannot be spent before its value date. Nothing here knows the book."""

from __future__ import annotations

import msgspec

from schemas.message import Date


class Deferred(msgspec.Struct, gc=False):
    """A transfer before its value date. reserved: what of it is, by account of those that were credited."""

    value_date: Date
    available_at_ms: int
    reserved: dict[str, int]
