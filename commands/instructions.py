"""Deciding an instruction that another command or a timer carries, as the command that it stands for."""

from __future__ import annotations

from typing import Any

from book.state import Book
from commands.decision import HANDLERS, Decision
from schemas.fields import MovementKind
from schemas.instructions import Instruction, ToAccount
from schemas.message import Command
from schemas.payments import SubmitPayment
from schemas.rejections import reject
from schemas.transfers import Transfer


def command_of(
    instruction: Instruction, payment: str, *, id: str, book: str, actor: str, issued_at_ms: int
) -> Command:
    """The command that an instruction stands for, in the envelope of what carries it.

    payment: the id that it has where it is a payment.
    """
    to = instruction.to
    if isinstance(to, ToAccount):
        return Transfer(
            id=id,
            book=book,
            actor=actor,
            issued_at_ms=issued_at_ms,
            debit=instruction.account,
            credit=to.account,
            amount=instruction.amount,
            currency=instruction.currency,
            reference=instruction.reference,
            channel=instruction.channel,
        )
    return SubmitPayment(
        id=id,
        book=book,
        actor=actor,
        issued_at_ms=issued_at_ms,
        payment=payment,
        account=instruction.account,
        amount=instruction.amount,
        currency=instruction.currency,
        rail=to.rail,
        payee=to.payee,
        purpose=to.purpose,
        reference=instruction.reference,
        end_to_end=to.end_to_end,
        channel=instruction.channel,
    )


def decide_as(book: Book, command: Any, at_ms: int, kind: MovementKind) -> Decision:
    """Decide a transfer or payment as another kind of movement than it is by itself. A bug in it is
    `internal_error`, as in `decide`.
    """
    try:
        handler: Any = HANDLERS[type(command)]
        decision: Decision = handler(book, command, at_ms, kind)
    except Exception as error:  # noqa: BLE001 - as in `decide`: nothing was touched, and the book goes on
        return reject("internal_error", restricted=f"{type(error).__name__}: {error}"[:500])
    return decision
