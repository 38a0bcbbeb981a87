"""Bulks: many instructions in one command, all or nothing or each on its own, one outcome for each."""

from __future__ import annotations

from typing import Annotated, Literal

import annotated_types as at
from msgspec import Meta
from pydantic import StringConstraints

from schemas.fields import END, NEW_ID, Amount, Currency
from schemas.instructions import Instruction
from schemas.message import Command, Event, Value
from schemas.rejections import Reason

MOST_INSTRUCTIONS = 10_000
BulkId = Annotated[
    str,
    Meta(min_length=1, max_length=56, pattern=NEW_ID + END),
    StringConstraints(min_length=1, max_length=56, pattern=NEW_ID),
]
"""A new bulk's id. The payments in it are called `bulk/index`, which is at most 64 characters long."""
Mode = Literal["all_or_nothing", "each"]


class ControlTotal(Value):
    """What the sender counts in one currency. amount: of all its instructions, minor units."""

    currency: Currency
    count: Annotated[int, Meta(ge=1, le=MOST_INSTRUCTIONS), at.Ge(1), at.Le(MOST_INSTRUCTIONS)]
    amount: Amount


class SubmitBulk(Command, tag="SubmitBulk"):
    """Decide many instructions, in their order, each on the state that the ones before it have left.

    mode: `all_or_nothing` refuses the bulk where any of them would be; `each` refuses only those.
    totals: one for each currency; the bulk is refused where its instructions come to something else.
    """

    bulk: BulkId
    instructions: Annotated[
        tuple[Instruction, ...],
        Meta(min_length=1, max_length=MOST_INSTRUCTIONS),
        at.Len(1, MOST_INSTRUCTIONS),
    ]
    mode: Mode
    totals: Annotated[tuple[ControlTotal, ...], Meta(max_length=200), at.MaxLen(200)]


class BulkAccepted(Event, tag="BulkAccepted"):
    """A bulk is right as a whole. What each instruction did follows, in order, in the same outcome: its own
    events, or `InstructionRefused`.
    """

    bulk: str
    mode: Mode
    instructions: int
    totals: tuple[ControlTotal, ...]


class InstructionRefused(Event, tag="InstructionRefused"):
    """An instruction of a bulk was refused, the others were not. index: counted from 0.

    reason, figures: public, as in a rejection.   restricted: for risk staff only.
    """

    bulk: str
    index: int
    reason: Reason
    figures: dict[str, int | str] = {}
    restricted: str = ""


COMMANDS = (SubmitBulk,)
EVENTS = (BulkAccepted, InstructionRefused)
