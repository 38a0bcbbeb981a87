"""Deciding an instruction that another command or a timer carries, as the command that it stands for."""

from __future__ import annotations

from typing import Any

from book.state import Book
from commands.decision import HANDLERS, Decision
from schemas.fields import MovementKind
from schemas.instructions import Instruction
from schemas.message import Command
from schemas.rejections import reject
from schemas.transfers import Transfer


def command_of(instruction: Instruction, carrier: Command) -> Command:
    """The command that an instruction stands for, sent by whoever sent its carrier."""
    return Transfer(
        id=carrier.id,
        book=carrier.book,
        actor=carrier.actor,
        issued_at_ms=carrier.issued_at_ms,
        debit=instruction.account,
        credit=instruction.to.account,
        amount=instruction.amount,
        currency=instruction.currency,
        reference=instruction.reference,
        channel=instruction.channel,
    )


def decide_as(book: Book, command: Any, at_ms: int, kind: MovementKind) -> Decision:
    """Decide a command as another kind of movement than it is by itself. A bug in it is `internal_error`, as
    in `decide`.
    """
    try:
        handler: Any = HANDLERS[type(command)]
        decision: Decision = handler(book, command, at_ms, kind)
    except Exception as error:  # noqa: BLE001 - as in `decide`: nothing was touched, and the book goes on
        return reject("internal_error", restricted=f"{type(error).__name__}: {error}"[:500])
    return decision
