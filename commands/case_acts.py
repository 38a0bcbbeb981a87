"""What a decision does: commands of other capabilities, decided as if they came just now, all or none.

What is told to others must say nothing of the case: blocks have an id and a reason that could be anything's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from book.case import Case
from book.overlay import overlay
from book.state import Book
from commands.attempt import applied
from commands.decision import Steps, decide
from commands.permission import may
from schemas.accounts import BlockAccount
from schemas.cases import Act, ActionName
from schemas.message import Command, Event
from schemas.parties import ChangePartyStatus
from schemas.rejections import Rejection, reject

SAYS_NOTHING = "by order of the bank"


def _block_account(case_id: str, case: Case, act: Act, envelope: dict[str, object]) -> Command:
    text = f"{case_id}\n{case.closing}".encode()
    name = hashlib.blake2b(text, digest_size=8, person=b"daybook block").hexdigest()
    return BlockAccount(
        account=act.of,
        block=name,
        direction="debits",
        authority="bank",
        reason=SAYS_NOTHING,
        **envelope,  # type: ignore[arg-type]
    )


def _block_party(case_id: str, case: Case, act: Act, envelope: dict[str, object]) -> Command:
    return ChangePartyStatus(party=act.of, status="blocked", reason=SAYS_NOTHING, **envelope)  # type: ignore[arg-type]


COMMAND_OF: dict[ActionName, Callable[[str, Case, Act, dict[str, object]], Command]] = {
    "block_account": _block_account,
    "block_party": _block_party,
}
CONCERNED: dict[ActionName, Callable[[Case], Sequence[str]]] = {
    "block_account": lambda case: case.accounts,
    "block_party": lambda case: case.parties,
}
"""What of the case an action can be of."""


def not_of_case(case: Case, acts: Sequence[Act]) -> Rejection | None:
    """`act_not_of_case` where the case does not concern what an act is of, or an act is there twice."""
    for index, act in enumerate(acts):
        if act.of not in CONCERNED[act.action](case) or act in acts[:index]:
            return reject("act_not_of_case", act=index, action=act.action)
    return None


def refused_now(
    book: Book, case_id: str, case: Case, acts: Sequence[Act], command: Command, at_ms: int
) -> Rejection | None:
    """`decision_refused` with the first act that could not be done now; nothing is changed by asking."""
    tried = overlay(book)
    for index, act in enumerate(acts):
        asked = _asked(case_id, case, act, command)
        if not may(tried, asked):
            return reject("decision_refused", act=index, action=act.action, refused="not_permitted")
        decision = decide(tried, asked, at_ms)
        if isinstance(decision, Rejection):
            return reject("decision_refused", act=index, action=act.action, refused=decision.reason)
        for _ in applied(tried, asked, (decision,) if isinstance(decision, Event) else decision, at_ms):
            pass
    return None


def done(book: Book, case_id: str, case: Case, acts: Sequence[Act], command: Command, at_ms: int) -> Steps:
    """What the acts do, each on what the one before it has left."""
    for act in acts:
        decision = decide(book, _asked(case_id, case, act, command), at_ms)
        assert not isinstance(decision, Rejection), f"what was tried is done: {decision}"
        yield from (decision,) if isinstance(decision, Event) else decision


def _asked(case_id: str, case: Case, act: Act, command: Command) -> Command:
    """The command of an act, in the name of who decides."""
    envelope: dict[str, object] = {
        "id": command.id,
        "book": command.book,
        "actor": command.actor,
        "issued_at_ms": command.issued_at_ms,
    }
    return COMMAND_OF[act.action](case_id, case, act, envelope)
