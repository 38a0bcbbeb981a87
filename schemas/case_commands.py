"""What is asked of cases: to open one, to have it, to give it away, to decide it. `schemas/cases.py` is what
comes of it.
"""

from __future__ import annotations

from typing import Annotated

import annotated_types as at
from msgspec import Meta

from schemas.cases import Act, CaseKind, CaseLabel, CaseNote, CasePriority, Ids, People
from schemas.fields import Id, Label, NewId, PersonalText, Seq
from schemas.message import Command


class OpenCase(Command, tag="OpenCase"):
    """Open a case by hand.

    party: whom it is about, if that is a party of the book.   parties, accounts, payments: that it concerns.
    skill: what whoever works it must know; the policy's where it is empty.
    people: who may see it and act on it, beside whoever has it; empty for everybody whose role permits it.
    """

    case: NewId
    kind: CaseKind
    title: PersonalText
    party: Label = ""
    priority: CasePriority = 0
    skill: Label = ""
    parties: Ids = ()
    accounts: Ids = ()
    payments: Ids = ()
    people: People = ()


class TakeNextCase(Command, tag="TakeNextCase"):
    """Have the case of the queue that is next for the sender's skills. kinds: of these only, if any."""

    kinds: Annotated[tuple[CaseKind, ...], Meta(max_length=5), at.MaxLen(5)] = ()


class AssignCase(Command, tag="AssignCase"):
    """Give somebody a case, whoever has it. to: empty for who is on shift, can do it and has least to do."""

    case: Id
    to: Label = ""
    note: PersonalText = ""


class HandOverCase(Command, tag="HandOverCase"):
    """Give away a case that one has. to: empty for back into the queue."""

    case: Id
    note: CaseNote
    to: Label = ""


class ProposeDecision(Command, tag="ProposeDecision"):
    """Say what was found, and what is to be done. It closes the case at once where policy asks nobody else.

    acts: in this order; all of them or none.
    """

    case: Id
    label: CaseLabel
    reason: CaseNote
    acts: Annotated[tuple[Act, ...], Meta(max_length=50), at.MaxLen(50)] = ()


class ConfirmDecision(Command, tag="ConfirmDecision"):
    """Agree, as another person, with what was proposed: the case is closed, and done what it says.

    proposal: seq of the `DecisionProposed`, so that nobody confirms another than they have seen.
    """

    case: Id
    proposal: Seq


class RefuseDecision(Command, tag="RefuseDecision"):
    """Disagree with what was proposed, or take back one's own: the case goes on with whoever has it."""

    case: Id
    proposal: Seq
    reason: CaseNote


class ReopenCase(Command, tag="ReopenCase"):
    """Put a closed case back into the queue."""

    case: Id
    reason: CaseNote


class MergeCases(Command, tag="MergeCases"):
    """Close a case as a duplicate: what it is about, and alerts that come later, go into another one."""

    case: Id
    into: Id
    reason: CaseNote


COMMANDS = (
    OpenCase,
    TakeNextCase,
    AssignCase,
    HandOverCase,
    ProposeDecision,
    ConfirmDecision,
    RefuseDecision,
    ReopenCase,
    MergeCases,
)
