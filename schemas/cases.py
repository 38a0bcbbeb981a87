"""Cases: what people look into, who does, and what they find. All of it is for staff: whoever a case is about
must never learn of it (tipping-off), so no event of it stands in a public record.

This is what happens to a case from its opening to its end; `schemas/case_commands.py` is what is asked for.
What is done in between is `schemas/case_work.py`, what is filed with the authority `schemas/case_reports.py`.
"""

from __future__ import annotations

from typing import Annotated, Literal

import annotated_types as at
import msgspec
from msgspec import Meta

from schemas.alerts import Alert, AlertSource
from schemas.documents.document import LineId
from schemas.fields import ActorId, Id, Label, NoNul, Personal, PersonalText, Text
from schemas.message import Event, Value

CaseKind = Literal["fraud", "aml", "payment_review", "dispute", "other"]
CaseStatus = Literal["open", "in_progress", "waiting", "awaiting_second_person", "closed", "reopened"]
"""open, reopened: in the queue, nobody has it.   waiting: for something from outside; its clock stands still.
awaiting_second_person: a decision is proposed, and another person confirms it or refuses to.
"""
CaseLabel = Literal[
    "confirmed_fraud", "suspicious", "false_positive", "legitimate", "inconclusive", "duplicate"
]
"""What was found: it labels the alerts and payments behind the case.   duplicate: see where it went."""
ActionName = Literal["release", "decline", "block_account", "block_party", "file_report"]
CasePriority = Annotated[int, Meta(ge=0, le=2**53), at.Ge(0), at.Le(2**53)]
"""Expected loss times confidence, see triage; the higher the sooner."""
Ids = Annotated[tuple[Id, ...], Meta(max_length=100), at.MaxLen(100)]
People = Annotated[tuple[ActorId, ...], Meta(max_length=50), at.MaxLen(50)]
CaseNote = Annotated[str, Meta(min_length=1, max_length=4_000), at.Len(1, 4_000), NoNul, Personal]
"""What somebody writes about a case: up to 4,000 characters, and personal data."""
CaseText = Annotated[str, Meta(max_length=4_000), at.MaxLen(4_000), NoNul, Personal]
"""The same where it may be empty."""


class CheckItem(Value):
    """Something that is to be done about a case. required: before a decision is proposed."""

    id: LineId
    text: Text
    required: bool = True


class Act(Value):
    """Something that a decision does. of: the payment in review, account or party, which the case concerns;
    empty for a report.
    """

    action: ActionName
    of: Label = ""


class Due(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """When something is late; None where no clock runs.

    touch_by_ms: whoever has it has to do something.   close_by_ms: it has to be closed.
    left_ms: working time that is left once it no longer waits.   band: of the clocks by priority, 0 for the
    most urgent.
    """

    touch_by_ms: int | None = None
    close_by_ms: int | None = None
    left_ms: int | None = None
    band: int = 0


class CaseAlert(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What is kept of an alert, whose body stands in `AlertsJoined`. movement: the payment, if any."""

    id: str
    source: AlertSource
    kind: str
    version: int
    movement: str


class CaseOpened(Event, tag="CaseOpened"):
    """A case is in the queue. by_hand: not by alerts, which follow as `AlertsJoined`.

    subject: whom it is about: a party of the book, or something else, such as `device=d1`.
    checklist: what is to be done about it, by the policy of that moment.
    """

    case: str
    kind: CaseKind
    subject: str
    title: PersonalText
    by_hand: bool
    priority: int
    skill: str
    parties: tuple[str, ...]
    accounts: tuple[str, ...]
    payments: tuple[str, ...]
    people: tuple[str, ...]
    checklist: tuple[CheckItem, ...]
    due: Due


class AlertsJoined(Event, tag="AlertsJoined"):
    """Alerts are part of a case. reported: under which case's id; another one where that was merged.

    priority, amounts, due: of the case from here on. amounts: at stake by currency, over all its alerts; what
    several are about counts as often.   parties, accounts, payments: that it did not concern before.
    lapsed: a decision was proposed, without knowing what these bring, and is no longer: a party, account or
    payment more, or more urgent clocks. Others wait for the second person, who sees them.
    """

    case: str
    reported: str
    alerts: tuple[Alert, ...]
    priority: int
    amounts: dict[str, int]
    parties: tuple[str, ...]
    accounts: tuple[str, ...]
    payments: tuple[str, ...]
    due: Due
    lapsed: bool


class CaseAssigned(Event, tag="CaseAssigned"):
    """Somebody has a case. how: taken by themselves, given by another or by policy, or handed over.

    to, person: the user and who that is.   before: who had it.
    team, day, taken: of a case that is taken or given by policy: how many the team has had so on that day.
    """

    case: str
    to: str
    person: str
    how: Literal["taken", "given", "handed_over"]
    before: str
    note: PersonalText
    team: str
    day: str
    taken: int
    due: Due


class CaseTouched(Event, tag="CaseTouched"):
    """Whoever was given a case does something about it, which follows. late: after it was due."""

    case: str
    late: bool


class CaseReturned(Event, tag="CaseReturned"):
    """A case is back in the queue."""

    case: str
    before: str
    note: CaseText
    due: Due


class DecisionProposed(Event, tag="DecisionProposed"):
    """Somebody has said what was found. confirmed: nobody else has to agree, and `CaseClosed` follows."""

    case: str
    label: CaseLabel
    acts: tuple[Act, ...]
    reason: CaseText
    proposer: str
    person: str
    confirmed: bool


class DecisionRefused(Event, tag="DecisionRefused"):
    """What was proposed is not done."""

    case: str
    proposal: int
    reason: CaseText
    person: str


class SlaBreached(Event, tag="SlaBreached"):
    """A clock of a case has run out. due_ms: when.   step_ms: when policy has its first step, if any."""

    case: str
    clock: Literal["first_touch", "resolution"]
    due_ms: int
    step_ms: int | None


class CaseEscalated(Event, tag="CaseEscalated"):
    """A late case has come to a step of policy. step: 1 for the first.   priority, team, due: from here on.

    step_ms: when the next one is due.
    """

    case: str
    step: int
    priority: int
    team: str
    due: Due
    step_ms: int | None


class CaseClosed(Event, tag="CaseClosed"):
    """A case is decided: the label holds for its alerts and payments, until the case is reopened.

    What was done stands before it in the same outcome.   persons: who proposed, and who confirmed.
    closing: 1 for the first time.   sampled: drawn for a second look.
    """

    case: str
    kind: CaseKind
    subject: str
    label: CaseLabel
    acts: tuple[Act, ...]
    persons: tuple[str, ...]
    alerts: tuple[CaseAlert, ...]
    payments: tuple[str, ...]
    amounts: dict[str, int]
    opened_ms: int
    closing: int
    sampled: bool


class CaseReopened(Event, tag="CaseReopened"):
    """A closed case is in the queue again, by somebody or by alerts that follow. label: that it had."""

    case: str
    label: CaseLabel
    reason: CaseText
    by_hand: bool
    due: Due


class CaseMerged(Event, tag="CaseMerged"):
    """A case is closed as a duplicate. into: has what it was about from here on.

    alerts, parties, accounts, payments: that go over.   priority, amounts, due, lapsed: as in `AlertsJoined`.
    """

    case: str
    into: str
    reason: CaseText
    alerts: tuple[CaseAlert, ...]
    parties: tuple[str, ...]
    accounts: tuple[str, ...]
    payments: tuple[str, ...]
    priority: int
    amounts: dict[str, int]
    due: Due
    lapsed: bool


EVENTS = (
    CaseOpened,
    AlertsJoined,
    CaseAssigned,
    CaseTouched,
    CaseReturned,
    DecisionProposed,
    DecisionRefused,
    SlaBreached,
    CaseEscalated,
    CaseClosed,
    CaseReopened,
    CaseMerged,
)
