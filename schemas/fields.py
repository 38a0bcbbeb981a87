"""The field types that messages are made of: ids, texts, times and amounts, each with its bounds.

Every bound is written for both validators: `msgspec.Meta` for the stream, `annotated_types` for pydantic.
Ids that name something new (`New...`) are narrow, so that what the book holds is clean; ids that refer to
something are only bounded in length, because the look-up answers the rest.
"""

from __future__ import annotations

from typing import Annotated, Literal

import annotated_types as at
from msgspec import Meta
from pydantic import StringConstraints

INT64_MAX = 2**63 - 1
LATEST_MS = 253_370_764_799_999  # the end of the year 9998, so that a next day always exists


class Personal:
    """Marks personal data: `Annotated[str, Personal]`. Masking by role and erasure by key follow from it."""


def _without_nul(text: str) -> bool:
    return "\0" not in text


NoNul = at.Predicate(_without_nul)
END = r"(?!\n)"
"""Follows `$` for msgspec: Python's `$` also matches before a last line feed, pydantic's does not."""
NEW_ID = r"^[A-Za-z0-9][A-Za-z0-9._:@/+-]*$"
NEW_ASSET = "^[A-Z][A-Z0-9_]{3,11}$"

Id = Annotated[str, Meta(min_length=1, max_length=64), at.Len(1, 64), NoNul]
NewId = Annotated[
    str,
    Meta(min_length=1, max_length=64, pattern=NEW_ID + END),
    StringConstraints(min_length=1, max_length=64, pattern=NEW_ID),
]

CommandId = Id
BookId = Id
ActorId = Id
PersonId = Id
RoleId = Id
PartyId = Id
AccountId = Id
BlockId = Id
HoldId = Id
PaymentId = Id
StopId = Id

Label = Annotated[str, Meta(max_length=64), at.MaxLen(64), NoNul]
"""A product, branch, segment or ledger code; empty where it does not apply."""
Text = Annotated[str, Meta(max_length=500), at.MaxLen(500), NoNul]
"""Free text of at most 500 characters."""
PersonalText = Annotated[str, Meta(max_length=500), at.MaxLen(500), NoNul, Personal]
"""Free text that identifies or describes a person."""
Seq = Annotated[int, Meta(ge=1, le=INT64_MAX), at.Ge(1), at.Le(INT64_MAX)]
"""The seq of an event in the same book."""

Millis = Annotated[int, Meta(ge=0, le=LATEST_MS), at.Ge(0), at.Le(LATEST_MS)]
"""Unix time in milliseconds, up to the end of the year 9998."""
Duration = Annotated[int, Meta(ge=1_000, le=366 * 86_400_000), at.Ge(1_000), at.Le(366 * 86_400_000)]
"""A span of book time in milliseconds, from a second to a leap year."""

Amount = Annotated[int, Meta(gt=0, le=INT64_MAX), at.Gt(0), at.Le(INT64_MAX)]
"""Minor units of a currency or asset, above zero, within int64."""
AmountOrZero = Annotated[int, Meta(ge=0, le=INT64_MAX), at.Ge(0), at.Le(INT64_MAX)]
SignedAmount = Annotated[int, Meta(ge=-INT64_MAX, le=INT64_MAX), at.Ge(-INT64_MAX), at.Le(INT64_MAX)]
Currency = Annotated[str, Meta(min_length=2, max_length=12), at.Len(2, 12), NoNul]
"""An ISO 4217 code or the code of a registered asset; which ones exist is asked when a command is decided."""
NewAsset = Annotated[str, Meta(pattern=NEW_ASSET + END), StringConstraints(pattern=NEW_ASSET)]
"""A new asset's code: 4 to 12 capitals, digits and underscores, so that it never looks like an ISO code."""

Clock = Literal["wall", "commanded"]
AccountKind = Literal[
    "customer", "income", "expense", "nostro", "suspense", "fx_position", "inter_book", "accrued", "equity"
]
"""`accrued`: interest that is earned or owed and not paid yet.   `equity`: retained earnings and capital."""
ESSENTIAL_KINDS: tuple[AccountKind, ...] = (
    "customer",
    "income",
    "expense",
    "nostro",
    "suspense",
    "fx_position",
    "inter_book",
)
"""The kinds of account that every chart has a line for. Interest and the year's end need more of it."""
PartyKind = Literal["person", "business"]
PartyRisk = Literal["unrated", "low", "medium", "high"]
PartyStatus = Literal["pending", "active", "blocked", "closed"]
Direction = Literal["debits", "credits", "both"]
MovementKind = Literal["transfer", "payment_out", "payment_in", "exchange", "hold", "standing"]
"""What moves money of an account, as products, limits and tariffs know it."""
Screening = Literal["cleared", "pending", "hit"]
"""What screening against lists said: nothing stands against it, it is not known yet, something does."""
