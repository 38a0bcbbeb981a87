"""What is decided about bulks: the totals first, then each instruction on what its predecessors left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.overlay import overlay
from book.state import Book
from commands.attempt import applied
from commands.decision import Decision, Steps, decide
from commands.instructions import command_of
from schemas.bulk import BulkAccepted, InstructionRefused, SubmitBulk
from schemas.message import Command, Event
from schemas.outcomes import FOR_STAFF
from schemas.rejections import Rejection, reject


def submit_bulk(book: Book, command: SubmitBulk, at_ms: int) -> Decision:
    """Rejected, in this order: bulk_exists, control_total_missing, control_count_wrong, control_sum_wrong
    (these by currency), instruction_refused (only in the mode all_or_nothing).
    """
    if command.bulk in book.bulks.ids:
        return reject("bulk_exists", bulk=command.bulk)
    if refused := _totals_wrong(command):
        return refused
    if command.mode == "all_or_nothing" and (refused := _first_refused(book, command, at_ms)):
        return refused
    return decided(book, command, at_ms)


def _totals_wrong(command: SubmitBulk) -> Rejection | None:
    found: dict[str, tuple[int, int]] = {}
    for one in command.instructions:
        count, amount = found.get(one.currency, (0, 0))
        found[one.currency] = count + 1, amount + one.amount
    told = {one.currency: one for one in command.totals}
    for currency in found:
        if currency not in told:
            return reject("control_total_missing", currency=currency)
    for total in command.totals:
        count, amount = found.get(total.currency, (0, 0))
        if total.count != count:
            return reject("control_count_wrong", currency=total.currency, told=total.count, found=count)
        if total.amount != amount:
            return reject("control_sum_wrong", currency=total.currency, told=total.amount, found=amount)
    return None


def _first_refused(book: Book, command: SubmitBulk, at_ms: int) -> Rejection | None:
    """Decide all of them on an overlay; the first one that is refused speaks for the bulk."""
    tried = overlay(book)
    for event in applied(tried, command, decided(tried, command, at_ms), at_ms):
        if isinstance(event, InstructionRefused):
            return Rejection(
                "instruction_refused",
                {"index": event.index, "refused": event.reason, **event.figures},
                event.restricted,
            )
    return None


def decided(book: Book, command: SubmitBulk, at_ms: int) -> Steps:
    """Each instruction on what those before it left. What only staff may know of comes last, so that no gap
    among the numbers of the others says where it was: see `schemas.outcomes`.
    """
    for_staff: list[Event] = []
    yield BulkAccepted(
        bulk=command.bulk,
        mode=command.mode,
        instructions=len(command.instructions),
        totals=command.totals,
    )
    for index in range(len(command.instructions)):
        decision = decide(book, instruction_of(command, index), at_ms)
        if isinstance(decision, Rejection):
            yield InstructionRefused(
                bulk=command.bulk,
                index=index,
                reason=decision.reason,
                figures=decision.figures,
                restricted=decision.restricted,
            )
        else:
            for event in (decision,) if isinstance(decision, Event) else decision:
                if type(event) in FOR_STAFF:
                    for_staff.append(event)
                else:
                    yield event
    yield from for_staff


def instruction_of(command: SubmitBulk, index: int) -> Command:
    """The command that an instruction stands for."""
    return command_of(
        command.instructions[index],
        f"{command.bulk}/{index}",
        id=command.id,
        book=command.book,
        actor=command.actor,
        issued_at_ms=command.issued_at_ms,
    )


DECIDE: dict[type, Callable[[Book, Any, int], Decision]] = {SubmitBulk: submit_bulk}
