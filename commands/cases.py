"""What is decided about cases coming to be: opened by hand, and by alerts that open, join or reopen them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from book.case import Case
from book.state import Book
from commands.case_policy import due_from, due_sooner, kind_of_alert, rules_of
from commands.case_staff import pushed
from commands.decision import Decide, Decision, Steps
from schemas.alerts import Alert, subject_of
from schemas.case_commands import OpenCase
from schemas.cases import AlertsJoined, CaseKind, CaseOpened, CaseReopened
from schemas.fields import INT64_MAX
from schemas.rejections import Rejection, reject
from schemas.reported import ReportAlerts


def open_case(book: Book, command: OpenCase, at_ms: int) -> Decision:
    """Rejected, in this order: case_exists, party_not_found, account_not_found, payment_not_found,
    actor_not_found.
    """
    if command.case in book.cases.by_id:
        return reject("case_exists")
    named = (command.party,) if command.party else ()
    parties = (*named, *command.parties)
    if refused := unknown(book, parties, command.accounts, command.payments, command.people):
        return refused
    rules = rules_of(book, command.kind)
    opened = CaseOpened(
        case=command.case,
        kind=command.kind,
        subject=command.party,
        title=command.title,
        by_hand=True,
        priority=command.priority,
        skill=command.skill or rules.skill,
        parties=owners(book, parties, command.accounts, command.payments),
        accounts=_once(command.accounts),
        payments=_once(command.payments),
        people=_once(command.people),
        checklist=rules.checklist,
        due=due_from(book, rules, command.priority, at_ms),
    )
    return _opening(book, opened, at_ms)


def unknown(
    book: Book,
    parties: Iterable[str],
    accounts: Iterable[str],
    payments: Iterable[str],
    people: Iterable[str] = (),
) -> Rejection | None:
    """party_not_found, account_not_found, payment_not_found or actor_not_found, where one is none."""
    for name in parties:
        if name not in book.parties:
            return reject("party_not_found", party=name)
    for name in accounts:
        if name not in book.accounts:
            return reject("account_not_found", account=name)
    for name in payments:
        if name not in book.payments.by_id:
            return reject("payment_not_found", payment=name)
    for name in people:
        actor = book.actors.get(name)
        if actor is None or not actor.person:
            return reject("actor_not_found", actor=name)
    return None


def _opening(book: Book, opened: CaseOpened, at_ms: int) -> Steps:
    yield opened
    yield from pushed(book, opened.case, at_ms)


def report_alerts(book: Book, command: ReportAlerts, at_ms: int) -> Decision:
    """Rejected: nothing_to_change, where all of them are part of a case already, or in shadow."""
    alerts: dict[str, Alert] = {}
    for one in command.alerts:
        if not one.shadow and one.id not in book.cases.alerts:
            alerts.setdefault(one.id, one)
    if not alerts:
        return reject("nothing_to_change")
    return _reported(book, command, tuple(alerts.values()), at_ms)


def _reported(book: Book, command: ReportAlerts, alerts: tuple[Alert, ...], at_ms: int) -> Steps:
    case_id = into(book, command.case)
    case = book.cases.by_id.get(case_id)
    queued = False
    if case is None:
        queued = True
        yield _opened_by(book, command, alerts, at_ms)
    elif case.status == "closed":
        queued = True
        yield reopened(book, case_id, case, at_ms, priority=command.priority)
    case = book.cases.by_id[case_id]
    priority = max(case.priority, command.priority)
    due = due_sooner(book, case, priority, at_ms)
    owned = owners(book, (), (one.account for one in _own(book, alerts)), _movements(book, alerts))
    parties = fresh(case.parties, (*_own_parties(book, alerts), *owned))
    accounts = fresh(case.accounts, (one.account for one in _own(book, alerts) if one.account))
    payments = fresh(case.payments, _movements(book, alerts))
    matters = bool(parties or accounts or payments) or due.band < case.due.band
    yield AlertsJoined(
        case=case_id,
        reported=command.case,
        alerts=alerts,
        priority=priority,
        amounts=_amounts(case, alerts),
        parties=parties,
        accounts=accounts,
        payments=payments,
        due=due,
        lapsed=case.status == "awaiting_second_person" and matters,
    )
    if queued:
        yield from pushed(book, case_id, at_ms)


def into(book: Book, case_id: str) -> str:
    """The case that another one was merged into, in the end; itself where it was not."""
    case = book.cases.by_id.get(case_id)
    while case is not None and case.merged_into:
        case_id = case.merged_into
        case = book.cases.by_id[case_id]
    return case_id


def _opened_by(book: Book, command: ReportAlerts, alerts: tuple[Alert, ...], at_ms: int) -> CaseOpened:
    kind = _kind(book, alerts)
    rules = rules_of(book, kind)
    return CaseOpened(
        case=command.case,
        kind=kind,
        subject=_subject(book, command.party, alerts[0]),
        title="",
        by_hand=False,
        priority=command.priority,
        skill=command.skill or rules.skill,
        parties=(command.party,) if command.party in book.parties else (),
        accounts=(),
        payments=(),
        people=(),
        checklist=rules.checklist,
        due=due_from(book, rules, command.priority, at_ms),
    )


def _subject(book: Book, party: str, alert: Alert) -> str:
    """A party of the book; else what the alerts are about, such as `device=d1`, which is no party's id."""
    if party in book.parties:
        return party
    return "=".join(("party", party) if party else subject_of(alert))


def _kind(book: Book, alerts: tuple[Alert, ...]) -> CaseKind:
    """A payment that waits for review first; then what policy says; else rules mean fraud, behaviour over
    time and across books money laundering.
    """
    for movement in _movements(book, alerts):
        if movement in book.payments.reviews:
            return "payment_review"
    for one in alerts:
        if (kind := kind_of_alert(book, one.kind)) is not None:
            return kind
    return "fraud" if any(one.source == "rule" for one in alerts) else "aml"


def reopened(
    book: Book, case_id: str, case: Case, at_ms: int, *, priority: int = 0, reason: str = ""
) -> CaseReopened:
    """The event that puts a closed case back into the queue, with clocks that begin now."""
    assert case.label is not None, "what is closed has a label"
    urgent = max(case.priority, priority)
    return CaseReopened(
        case=case_id,
        label=case.label,
        reason=reason,
        by_hand=bool(reason),
        due=due_from(book, rules_of(book, case.kind), urgent, at_ms),
    )


def _own(book: Book, alerts: Iterable[Alert]) -> Iterator[Alert]:
    """Those about this book's parties and accounts: an alert of a stream can be about another's."""
    return (one for one in alerts if one.book == book.id)


def _own_parties(book: Book, alerts: Iterable[Alert]) -> Iterator[str]:
    return (one.party for one in _own(book, alerts) if one.party in book.parties)


def _movements(book: Book, alerts: Iterable[Alert]) -> tuple[str, ...]:
    return _once(one.movement for one in _own(book, alerts) if one.movement in book.payments.by_id)


def owners(
    book: Book, parties: Iterable[str], accounts: Iterable[str], payments: Iterable[str]
) -> tuple[str, ...]:
    """Those parties, and those that accounts and payments belong to."""
    owned = [*accounts, *(book.payments.by_id[one].account for one in payments)]
    return _once((*parties, *(book.accounts[one].party for one in owned if one in book.accounts)))


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys(names) if name)


def fresh(had: tuple[str, ...], names: Iterable[str]) -> tuple[str, ...]:
    """Those names that are not there yet, each once."""
    return tuple(name for name in _once(names) if name not in had)


def _amounts(case: Case, alerts: tuple[Alert, ...]) -> dict[str, int]:
    amounts = dict(case.amounts)
    for one in alerts:
        if one.amount and one.currency:
            amounts[one.currency] = min(INT64_MAX, amounts.get(one.currency, 0) + one.amount)
    return amounts


DECIDE: dict[type, Decide] = {OpenCase: open_case, ReportAlerts: report_alerts}
