"""Every command and event type in one place, and the one way in and out of bytes for each.

Add a capability by adding its module's `COMMANDS` and `EVENTS` here.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Union

import msgspec

from schemas import (
    access,
    accounts,
    approvals,
    books,
    bulk,
    case_commands,
    case_reports,
    case_work,
    cases,
    closing,
    crossbook,
    end_of_day,
    exchange,
    fees,
    fees_due,
    flags,
    holds,
    interest,
    limits,
    orders,
    parties,
    payments,
    payments_in,
    positions,
    publishing,
    rail_reports,
    repairs,
    reported,
    reviews,
    risk,
    stops,
    transfers,
    value_dates,
)
from schemas.message import Command, Event
from schemas.rejections import CommandRejected, CommandRepeated

COMMANDS: tuple[type[Command], ...] = (
    *books.COMMANDS,
    *access.COMMANDS,
    *parties.COMMANDS,
    *accounts.COMMANDS,
    *transfers.COMMANDS,
    *crossbook.COMMANDS,
    *publishing.COMMANDS,
    *interest.COMMANDS,
    *closing.COMMANDS,
    *approvals.COMMANDS,
    *bulk.COMMANDS,
    *orders.COMMANDS,
    *payments_in.COMMANDS,
    *limits.COMMANDS,
    *fees.COMMANDS,
    *flags.COMMANDS,
    *holds.COMMANDS,
    *payments.COMMANDS,
    *rail_reports.COMMANDS,
    *repairs.COMMANDS,
    *reviews.COMMANDS,
    *stops.COMMANDS,
    *exchange.COMMANDS,
    *value_dates.COMMANDS,
    *case_commands.COMMANDS,
    *case_work.COMMANDS,
    *case_reports.COMMANDS,
    *reported.COMMANDS,
)
EVENTS: tuple[type[Event], ...] = (
    CommandRejected,
    CommandRepeated,
    *books.EVENTS,
    *access.EVENTS,
    *parties.EVENTS,
    *accounts.EVENTS,
    *transfers.EVENTS,
    *crossbook.EVENTS,
    *publishing.EVENTS,
    *interest.EVENTS,
    *closing.EVENTS,
    *end_of_day.EVENTS,
    *fees_due.EVENTS,
    *approvals.EVENTS,
    *bulk.EVENTS,
    *orders.EVENTS,
    *payments_in.EVENTS,
    *limits.EVENTS,
    *fees.EVENTS,
    *flags.EVENTS,
    *holds.EVENTS,
    *payments.EVENTS,
    *rail_reports.EVENTS,
    *repairs.EVENTS,
    *reviews.EVENTS,
    *risk.EVENTS,
    *stops.EVENTS,
    *exchange.EVENTS,
    *positions.EVENTS,
    *value_dates.EVENTS,
    *cases.EVENTS,
    *case_work.EVENTS,
    *case_reports.EVENTS,
)
COMMAND_TYPES: dict[str, type[Command]] = {str(c.__struct_config__.tag): c for c in COMMANDS}
EVENT_TYPES: dict[str, type[Event]] = {str(e.__struct_config__.tag): e for e in EVENTS}

MONEY_EVENTS = frozenset(e for e in EVENTS if "postings" in e.__struct_fields__)
"""The events that move money: those that carry postings."""
RESERVING_EVENTS = frozenset(e for e in EVENTS if "reserves" in e.__struct_fields__)
"""The events that reserve funds or release them."""
USING_EVENTS = frozenset(e for e in EVENTS if "uses" in e.__struct_fields__)
"""The events that use up room under limits and units of packages, or give them back."""
COUNTING_EVENTS = frozenset(e for e in EVENTS if "counts" in e.__struct_fields__)
"""The events that count what a maker sends to a payee."""

AnyCommand: Any = Union[COMMANDS]  # noqa: UP007 - a union built from a table has no other spelling
AnyEvent: Any = Union[EVENTS]  # noqa: UP007

encode = msgspec.json.Encoder().encode
"""A message as JSON bytes, fields in the order of its class: the same message gives the same bytes."""
decode_event = msgspec.json.Decoder(AnyEvent).decode
"""An event from its JSON bytes. Raises msgspec.MsgspecError, which on our own log is a damaged record."""
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""The escape for NUL, and not a backslash followed by those letters."""
_decode_command = msgspec.json.Decoder(AnyCommand).decode


_EMPTY = hashlib.blake2b(digest_size=8)


class Undecodable(ValueError):
    """The bytes are not a command; the message says why, and where."""


def decode_command(value: bytes) -> Command:
    """A command from its JSON bytes. Raises Undecodable with one sentence that says what is wrong."""
    try:
        command: Command = _decode_command(value)
    except UnicodeDecodeError as error:
        raise Undecodable(f"it is not UTF-8 (byte {error.start})") from None
    except RecursionError:
        raise Undecodable("it is nested too deeply") from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise Undecodable(str(error)) from None
    # The escape is the only spelling of NUL in JSON. No text may hold it, since PostgreSQL cannot store it.
    if b"\\" in value and b"\\u0000" in value and _NUL.search(encode(command)):
        raise Undecodable("a text holds the character NUL")
    return command


def fingerprint(command: Command) -> str:
    """16 hex digits over the canonical command. The id is in it, which changes nothing among equal ids."""
    return digest(encode(command))


def digest(value: bytes) -> str:
    """16 hex digits over a record's bytes."""
    taken = _EMPTY.copy()  # a copy is cheaper than a new one
    taken.update(value)
    return taken.hexdigest()
