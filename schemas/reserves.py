"""What an event reserves and uses up: funds of accounts, and room under limits.

Like postings, both have one shape wherever they appear, and say what holds afterwards: whoever reads them
needs to know nothing else about the event. An event type with funds has a field `reserves`, one that counts
against limits or packages a field `uses`.
"""

from __future__ import annotations

import msgspec


class Reserve(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Funds that can no longer be spent, or that can again.

    account: whose.   amount: signed minor units; positive reserves, negative releases.
    held: all that is reserved on the account afterwards, minor units.
    """

    account: str
    amount: int
    held: int


class Use(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Room under a limit, or units of a package, that was used or given back.

    limit: the line that counts: `document/line@version` of a limit, `tariff/package.period` of a package.
    by, key: whose count it is: `account`, `party`, ... and its id.
    bucket: the slice of book time it counts in.   first: the oldest slice that still counts.
    amount: signed; minor units, or a number of times.   total: all of the bucket's afterwards.
    reserved: how much of the bucket's total is not final yet, afterwards.
    """

    limit: str
    by: str
    key: str
    bucket: int
    first: int
    amount: int
    total: int
    reserved: int
