"""Alerts: what was noticed, as it stands in the alerts topic and in the cases that it leads to.

An alert is derived from events and nothing else, so whoever derives it again gets the same one, id and all.
It is for risk staff: never for whom it is about.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import annotated_types as at
import msgspec
from msgspec import Meta
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema

from schemas.fields import INT64_MAX, AmountOrZero, Id, Label, Millis, SignedAmount, Text
from schemas.flags import Evidence
from schemas.message import Value, core_schema_of

AlertSource = Literal["rule", "typology", "stream"]
"""Who noticed: a rule in the ordered path, a typology of one book, or a stream over all books."""
Confidence = Annotated[int, Meta(ge=0, le=1_000), at.Ge(0), at.Le(1_000)]

AlertVersion = Annotated[int, Meta(ge=0, le=2**31 - 1), at.Ge(0), at.Le(2**31 - 1)]
Figures = Annotated[dict[Label, SignedAmount | Text], Meta(max_length=50), at.MaxLen(50)]


class Alert(Value, tag_field="type", tag="Alert"):
    """Something was noticed.

    id: 32 hex digits over what it is about, see `alert_id`.   kind: which rule, `document/rule`, or typology.
    version: of the document that its parameters stand in.   book: whose events it is about; `party` and
    `account` are that book's, empty where it is about none.   payee, device: keys, see `schemas/payees.py`.
    amount: what is at stake, minor units of `currency`.   confidence: per mille.
    at: book time of the event that completed it.   business_date is the book's local day then.
    first_at: of the first event of the pattern.   evidence: the events behind it, oldest first.
    figures: what was counted, against what it is measured.   words: one sentence for people, no names in it.
    movement: the payment's id, where it is about one, or the id of the movement that completed it.
    shadow: what it goes by is being tried out: it is counted, and opens no case.
    """

    id: Id
    source: AlertSource
    kind: Label
    version: AlertVersion
    book: Id
    at: Millis
    first_at: Millis
    day: Label
    party: Label = ""
    account: Label = ""
    payee: Label = ""
    device: Label = ""
    movement: Label = ""
    currency: Label = ""
    amount: AmountOrZero = 0
    confidence: Confidence = 500
    figures: Figures = {}
    words: Text = ""
    evidence: Evidence = ()
    shadow: bool = False

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema_of(cls, handler, tag="Alert", tag_required=False)


encode_alert = msgspec.json.Encoder().encode
decode_alert = msgspec.json.Decoder(Alert).decode
"""An alert from its JSON bytes. Raises msgspec.MsgspecError."""


def held(value: int) -> int:
    """A sum as an alert can say it: no reader takes one that is outside of 64 bits, so it ends there."""
    return max(-INT64_MAX, min(INT64_MAX, value))


def figures_held(figures: Mapping[str, int | str]) -> dict[str, int | str]:
    """Figures, each number `held`."""
    return {name: one if isinstance(one, str) else held(one) for name, one in figures.items()}


def subject_of(alert: Alert) -> tuple[str, str]:
    """What the alert is about, and which one: the first of these that it names."""
    for what, value in (
        ("party", alert.party),
        ("account", alert.account),
        ("payee", alert.payee),
        ("device", alert.device),
    ):
        if value:
            return what, value
    return "book", ""


def alert_id(book: str, kind: str, about: str, what: object) -> str:
    """The same for the same thing noticed, whoever notices it, however often.

    about: the account, party, payee or device.   what: what makes it one: a window's number or the first seq.
    """
    text = "\n".join((book, kind, about, str(what)))
    return hashlib.blake2b(text.encode(), digest_size=16, person=b"daybook alert").hexdigest()
