"""Which movement the rules looked at, and the book as they saw it: found in the log, for `explain`.

What was let through says it in its own event. What was declined says only that it was: what had been asked
for stands in the command, in the instruction of a bulk, in the standing order, or in what waited for a yes.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from book.evolve import evolve
from book.overlay import overlay
from book.state import Book
from commands.attempt import applied
from commands.bulk import decided, instruction_of
from commands.movements import Movement, corridor_of, of_payment, of_sending, of_transfer
from commands.orders import amount_of_run, command_of_run
from commands.reach import asked_of
from engine.errors import DaybookError
from engine.fold import Folded
from engine.log.records import BEFORE_FIRST, Record
from replay.answers import History
from schemas.approvals import ApprovalFailed, Approve
from schemas.bulk import InstructionRefused, SubmitBulk
from schemas.catalogue import Undecodable, decode_command, decode_event
from schemas.crossbook import CrossBookSent, SendToBook
from schemas.fields import MovementKind
from schemas.message import Command, Event
from schemas.orders import StandingOrderMissed, StandingOrderSkipped
from schemas.payments import PaymentSubmitted, SubmitPayment
from schemas.rejections import CommandRejected
from schemas.risk import Assessment, Declined, Origin, RiskAssessed
from schemas.transfers import Transfer, TransferPosted

PASSED = (TransferPosted, PaymentSubmitted, CrossBookSent)
REFUSED = (CommandRejected, InstructionRefused, ApprovalFailed, StandingOrderMissed, StandingOrderSkipped)
DECLINED = "declined"
PATIENCE_S = 5.0
"""For a log in another process to hand out a command."""


class NotScored(DaybookError):
    """What was named is no movement that rules could have looked at."""

    advice = "Name a payment, a command, or the seq of a transfer's event; `daybook rules hits` lists some."
    status = 2


class Found(msgspec.Struct, frozen=True):
    """A movement in the log. offset: of its event, before which the book is as the rules saw it."""

    offset: int
    event: Event


class Scored(msgspec.Struct, frozen=True):
    """A movement, the book just before it, and what was noted of it then (nothing where no rule applied)."""

    book: Book
    event: Event
    movement: Movement
    origin: Origin | None
    name: str
    recorded: tuple[Assessment, ...]


def find(log: History, book: str, name: str) -> list[Found]:
    """The movements of this name, in order: a payment's or sending's id, a command's, or `#` and a seq.

    Raises NotScored where there is none.
    """
    key, said = book.encode(), name.encode()
    seq = int(name[1:]) if name[:1] == "#" and name[1:].isdecimal() else 0
    looked_for = f'"seq":{seq},'.encode() if seq else said
    found = []
    for record in log.events(BEFORE_FIRST):
        if record.key != key or looked_for not in record.value:
            continue
        event = decode_event(record.value)
        named = event.seq == seq if seq else name in (event.command, *_names(event))
        if named and (isinstance(event, PASSED) or _is_declined(event)):
            found.append(Found(record.offset, event))
    if not found:
        raise NotScored(f"The book {book} has no movement {name} that was let through or declined.")
    return found


def _names(event: Event) -> Iterator[str]:
    if isinstance(event, PaymentSubmitted):
        yield event.payment
    elif isinstance(event, CrossBookSent):
        yield event.transfer
    elif _is_declined(event):
        yield _declined(event).movement


def _is_declined(event: Event) -> bool:
    if not isinstance(event, REFUSED):
        return False
    return event.reason == DECLINED or (
        event.reason == "instruction_refused" and event.figures.get("refused") == DECLINED
    )


def _declined(event: Event) -> Declined:
    """What a refusal notes for staff."""
    assert isinstance(event, REFUSED), "a refusal was looked for"
    return msgspec.json.decode(event.restricted, type=Declined)


def scored(log: History, folded: Folded, found: Found) -> Scored:
    """The movement as the rules saw it. folded: a state before it, which becomes the one just before.

    Raises NotScored where the command is not stored any more.
    """
    following: Iterator[Record] = log.events(folded.offset)
    event = found.event
    for record in following:
        if record.offset >= found.offset:
            break
        evolve(folded.partition, decode_event(record.value))
    book = folded.partition.books[event.book]
    recorded = _noted(following, event) if isinstance(event, PASSED) else _declined(event).assessments
    seen, movement, origin, name = _asked(log, book, event)
    return Scored(seen, event, movement, origin, name, recorded)


def _noted(following: Iterator[Record], event: Event) -> tuple[Assessment, ...]:
    """What the event of its assessment says, which is in the same outcome."""
    for record in following:
        later = decode_event(record.value)
        if (later.cause, later.timer) != (event.cause, event.timer):
            return ()
        if isinstance(later, RiskAssessed) and (later.book, later.of) == (event.book, event.seq):
            return later.assessments
    return ()


def _asked(log: History, book: Book, event: Event) -> tuple[Book, Movement, Origin | None, str]:
    """The book that the rules saw, the movement, where it was asked for, and its id."""
    standing = event.timer.startswith("standing_order\n")
    if isinstance(event, TransferPosted):
        moved = event.amount, event.currency, event.credit, event.channel, event.corridor
        account = book.accounts[event.debit]
        kind: MovementKind = "standing" if standing else "transfer"
        return book, Movement(kind, event.debit, account, *moved), event.origin, ""
    if isinstance(event, PaymentSubmitted):
        account = book.accounts[event.account]
        corridor = corridor_of(book, account, event.payee)
        told = event.amount, event.currency, event.payee.account, event.channel, corridor
        kind = "standing" if standing else "payment_out"
        return book, Movement(kind, event.account, account, *told), event.origin, event.payment
    if isinstance(event, StandingOrderMissed | StandingOrderSkipped):
        command = command_of_run(book, event.order, amount_of_run(book, event.order))
        return book, *_moved_by(book, command, standing=True)
    command = _command(log, book, event)
    if isinstance(command, SubmitBulk):
        return _of_bulk(book, event, command)
    return book, *_moved_by(book, command)


def _command(log: History, book: Book, event: Event) -> Command:
    """What was asked for. Raises NotScored where that is not stored any more."""
    if isinstance(event, ApprovalFailed):
        return asked_of(book.approvals.passed[event.approval])
    record = next(iter(log.commands(event.cause - 1, 1, PATIENCE_S)), None)
    try:
        command = None if record is None else decode_command(record.value)
    except Undecodable:
        command = None
    if record is None or command is None or record.offset != event.cause or command.id != event.command:
        raise NotScored(f"The command {event.command} is not stored any more.")
    return asked_of(book.approvals.passed[command.approval]) if isinstance(command, Approve) else command


def _moved_by(book: Book, command: Command, *, standing: bool = False) -> tuple[Movement, Origin | None, str]:
    match command:
        case Transfer():
            return of_transfer(book, command, "standing" if standing else "transfer"), command.origin, ""
        case SubmitPayment():
            kind: MovementKind = "standing" if standing else "payment_out"
            return of_payment(book, command, kind), command.origin, command.payment
        case SendToBook():
            return of_sending(book, command), None, command.transfer
        case _:
            raise AssertionError(f"rules do not look at {type(command).__name__}")


def _of_bulk(book: Book, event: Event, command: SubmitBulk) -> tuple[Book, Movement, Origin | None, str]:
    """An instruction that was declined; where that took the bulk with it, on what those before it left."""
    if isinstance(event, InstructionRefused):
        index = event.index
    else:
        assert isinstance(event, CommandRejected | ApprovalFailed), "the bulk was refused as a whole"
        index = int(event.figures["index"])
        tried = overlay(book)
        for one in applied(tried, command, decided(tried, command, event.at), event.at):
            if isinstance(one, InstructionRefused) and one.index == index:
                break
        book = tried
    instruction = instruction_of(command, index)
    return book, *_moved_by(book, instruction)
