"""Cases and alerts, in the words of stories."""

from __future__ import annotations

from typing import Any

from book.case import Case
from schemas import case_commands, case_reports, case_work
from schemas.alerts import Alert, alert_id
from schemas.case_commands import (
    AssignCase,
    ConfirmDecision,
    HandOverCase,
    MergeCases,
    OpenCase,
    ProposeDecision,
    RefuseDecision,
    ReopenCase,
    TakeNextCase,
)
from schemas.case_reports import ApproveReport, DraftReport, FileReport, ReportDrafted, SendReportBack
from schemas.case_work import (
    AddCaseNote,
    AttachToCase,
    Found,
    LinkToCase,
    PauseCase,
    PrioritiseCase,
    RestrictCase,
    ResumeCase,
    ReviewQuality,
    TickItem,
)
from schemas.cases import Act, ActionName, CaseLabel, DecisionProposed
from schemas.publishing import PublishDocument
from schemas.reported import ReportAlerts
from tests.story import BEGAN_MS, Known, Said, Word, role, say, story, user

ALL = (*case_commands.COMMANDS, *case_work.COMMANDS, *case_reports.COMMANDS)
ALL_DAY = {"time_zone": "UTC"}
OFFICE = {"time_zone": "Europe/Berlin", "opens": "08:00", "closes": "18:00", "calendar": "target"}
CALENDAR = say(
    PublishDocument,
    kind="calendar",
    document="target",
    version=1,
    body={"name": "TARGET", "holidays": [{"date": "2024-05-20"}]},
)


def alert(number: int | str, party: str = "p-alice", **fields: Any) -> Alert:
    """An alert about the account that goes with the party, unless told."""
    usual: dict[str, Any] = {
        "id": alert_id("main", "structuring", party, number),
        "source": "typology",
        "kind": "structuring",
        "version": 1,
        "book": "main",
        "at": BEGAN_MS,
        "first_at": BEGAN_MS,
        "day": "2024-05-15",
        "party": party,
        "account": party.removeprefix("p-"),
        "currency": "EUR",
        "amount": 900,
    }
    return Alert(**{**usual, **fields})


def report(case: str, *alerts: Alert, party: str = "p-alice", priority: int = 0, skill: str = "") -> Said:
    return say(ReportAlerts, case=case, party=party, alerts=alerts, priority=priority, skill=skill)


def open_case(case: str, **fields: Any) -> Said:
    return say(OpenCase, **{"case": case, "kind": "other", "title": "odd", **fields})


def take(**fields: Any) -> Said:
    return say(TakeNextCase, **fields)


def assign(case: str, to: str = "") -> Said:
    return say(AssignCase, case=case, to=to, note="yours")


def hand_over(case: str, to: str = "") -> Said:
    return say(HandOverCase, case=case, to=to, note="I am off")


def act(action: ActionName, of: str = "") -> Act:
    return Act(action=action, of=of)


def propose(case: str, label: CaseLabel = "false_positive", *acts: Act) -> Said:
    return say(ProposeDecision, case=case, label=label, reason="looked at it", acts=acts)


def _proposal(case: str) -> int:
    return [one.seq for one in story().events() if isinstance(one, DecisionProposed) and one.case == case][-1]


def confirm(case: str, proposal: int | None = None) -> Said:
    """What was proposed last, unless told."""
    of: Any = Known(lambda: _proposal(case)) if proposal is None else proposal
    return say(ConfirmDecision, case=case, proposal=of)


def refuse(case: str, proposal: int | None = None) -> Said:
    of: Any = Known(lambda: _proposal(case)) if proposal is None else proposal
    return say(RefuseDecision, case=case, proposal=of, reason="look again")


def reopen(case: str) -> Said:
    return say(ReopenCase, case=case, reason="news")


def merge(case: str, into: str) -> Said:
    return say(MergeCases, case=case, into=into, reason="the same thing")


def policy(version: int = 1, **fields: Any) -> Said:
    """A case policy, around the clock unless told."""
    return say(
        PublishDocument,
        kind="case_policy",
        document="cases",
        version=version,
        body={"hours": ALL_DAY, **fields},
    )


def member(name: str, *skills: str, **fields: Any) -> dict[str, Any]:
    return {"user": name, "skills": list(skills), **fields}


def team(*members: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": "first", "members": list(members), **fields}


def workers(*names: str, of_party: str = "") -> list[Word]:
    """People who may do anything about cases."""
    commands = [*(one.__name__ for one in ALL), "BlockAccount", "ChangePartyStatus"]
    commands += ["ReleasePayment", "DeclinePayment"]
    return [role("worker", *commands), [user(one, roles=["worker"], of_party=of_party) for one in names]]


def the_case(case: str) -> Case:
    return story().book.cases.by_id[case]


# --- the work ---------------------------------------------------------------------------------------------


def pause(case: str, until_ms: int | None = None) -> Said:
    return say(PauseCase, case=case, reason="asked the customer", until_ms=until_ms)


def resume(case: str) -> Said:
    return say(ResumeCase, case=case)


def tick(case: str, item: str, *, done: bool = True) -> Said:
    return say(TickItem, case=case, item=item, done=done, note="so")


def note(case: str, text: str = "looks odd") -> Said:
    return say(AddCaseNote, case=case, text=text)


def attach(case: str, digest: str = "a" * 64) -> Said:
    return say(
        AttachToCase, case=case, digest=digest, name="letter.pdf", media_type="application/pdf", size=1_200
    )


def link(case: str, **what: Any) -> Said:
    return say(LinkToCase, case=case, **what)


def restrict(case: str, *people: str) -> Said:
    return say(RestrictCase, case=case, people=people)


def prioritise(case: str, priority: int) -> Said:
    return say(PrioritiseCase, case=case, priority=priority, reason="the press has called")


def look_again(case: str, found: Found = "upheld") -> Said:
    return say(ReviewQuality, case=case, found=found, finding="read it all")


# --- reports ----------------------------------------------------------------------------------------------


def draft(case: str, report: str = "r1") -> Said:
    return say(DraftReport, case=case, report=report, narrative="money came and went")


def _draft_of(case: str) -> int:
    return [one.seq for one in story().events() if isinstance(one, ReportDrafted) and one.case == case][-1]


def approve(case: str, of: int | None = None) -> Said:
    """The newest draft, unless told."""
    seq: Any = Known(lambda: _draft_of(case)) if of is None else of
    return say(ApproveReport, case=case, draft=seq)


def send_back(case: str, of: int | None = None) -> Said:
    seq: Any = Known(lambda: _draft_of(case)) if of is None else of
    return say(SendReportBack, case=case, draft=seq, reason="say more")


def file(case: str) -> Said:
    return say(FileReport, case=case, reference="FIU-2024-7", evidence="e" * 64)
