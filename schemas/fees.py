"""Fees, as they travel with the event that is charged. Each is a posting of its own to an income account."""

from __future__ import annotations

import msgspec


class Fee(msgspec.Struct, frozen=True, gc=False):
    """A fee. tariff, version, line: what it was charged by.   account: who pays.   income: who receives.

    amount: minor units of `currency`, above zero; what is waived is no fee.
    """

    tariff: str
    version: int
    line: str
    account: str
    income: str
    amount: int
    currency: str
