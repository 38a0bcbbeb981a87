"""What is decided about who has a case: taken, given, handed over, pushed by policy.

Two people never have one: each take is decided on what the one before it has left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import merge

from book.case import HELD, QUEUED, Case, Place
from book.state import Book
from commands.case_access import in_state, is_about, sees, visible
from commands.case_clocks import running
from commands.case_policy import day_of, membership, on_shift, taken_on
from commands.decision import Decide, Decision
from commands.permission import permits
from schemas.case_commands import AssignCase, HandOverCase, TakeNextCase
from schemas.cases import CaseAssigned, CaseReturned, Due
from schemas.documents.case_policy import Member, Team
from schemas.rejections import Rejection, reject


def take_next_case(book: Book, command: TakeNextCase, at_ms: int) -> Decision:
    """Rejected, in this order: not_in_team, not_on_shift, case_load_reached, team_capacity_reached,
    queue_empty.
    """
    user = command.actor
    policy = book.in_force.cases
    mine = membership(book, user)
    if policy is not None and policy.teams:
        if mine is None:
            return reject("not_in_team")
        team, member = mine
        if not on_shift(policy, member, at_ms):
            return reject("not_on_shift")
        if refused := _full(book, member):
            return refused
        if taken_on(book, team.id, day_of(policy, at_ms)) >= team.capacity_per_day:
            return reject("team_capacity_reached", most=team.capacity_per_day)
    for place in _line(book, mine):
        case = book.cases.by_id[place[-1]]
        if _fits(book, case, user, mine) and (not command.kinds or case.kind in command.kinds):
            return _assigned(book, place[-1], user, at_ms, how="taken")
    return reject("queue_empty")


def _line(book: Book, mine: tuple[Team, Member] | None) -> Iterable[Place]:
    """The queue in order, as far as it asks for no skill that this one has not."""
    lines, policy = book.cases.lines, book.in_force.cases
    if policy is None or not policy.teams:
        return merge(*lines.values())
    skills = dict.fromkeys(("", *(mine[1].skills if mine is not None else ())))
    return merge(*(lines[skill] for skill in skills if skill in lines))


def _fits(book: Book, case: Case, user: str, mine: tuple[Team, Member] | None) -> bool:
    """Whether a case may come to somebody by itself."""
    return (
        (not case.team or (mine is not None and mine[0].id == case.team))
        and not _unskilled(book, case, mine)
        and sees(case, user)
        and not is_about(book, case, user)
    )


def _unskilled(book: Book, case: Case, mine: tuple[Team, Member] | None) -> bool:
    """Skills are asked for only where policy says who has which."""
    policy = book.in_force.cases
    if not case.skill or policy is None or not policy.teams:
        return False
    return mine is None or case.skill not in mine[1].skills


def _full(book: Book, member: Member) -> Rejection | None:
    has = book.cases.load.get(member.user, 0)
    return reject("case_load_reached", has=has, most=member.most_cases) if has >= member.most_cases else None


def assign_case(book: Book, command: AssignCase, at_ms: int) -> Decision:
    """Rejected, in this order: case_not_found, case_state_conflict, about_oneself (the sender), nobody_fits
    (where nobody is named), actor_not_found, nothing_to_change, not_a_case_worker, about_oneself,
    skill_missing, case_load_reached.
    """
    case = visible(book, command.case, command.actor)
    if isinstance(case, Rejection):
        return case
    if refused := in_state(case, (*QUEUED, *HELD)):
        return refused
    if is_about(book, case, command.actor):
        return reject("about_oneself")
    to = command.to or best_for(book, case, at_ms)
    if to is None:
        return reject("nobody_fits")
    if refused := _cannot_have(book, case, to):
        return refused
    return _assigned(book, command.case, to, at_ms, how="given", note=command.note)


def hand_over_case(book: Book, command: HandOverCase, at_ms: int) -> Decision:
    """Rejected, in this order: case_not_found, case_state_conflict, not_assignee, about_oneself (the sender),
    actor_not_found, nothing_to_change, not_a_case_worker, about_oneself, skill_missing, case_load_reached.
    Who finds that a case is about themselves puts it back into the queue, and does not choose who gets it.
    """
    case = visible(book, command.case, command.actor)
    if isinstance(case, Rejection):
        return case
    if refused := in_state(case, HELD):
        return refused
    if case.assignee != command.actor:
        return reject("not_assignee")
    if not command.to:
        return CaseReturned(
            case=command.case,
            before=case.assignee,
            note=command.note,
            due=running(book, case, at_ms),
        )
    if is_about(book, case, command.actor):
        return reject("about_oneself")
    if refused := _cannot_have(book, case, command.to):
        return refused
    return _assigned(book, command.case, command.to, at_ms, how="handed_over", note=command.note)


def _cannot_have(book: Book, case: Case, to: str) -> Rejection | None:
    actor = book.actors.get(to)
    if actor is None:
        return reject("actor_not_found", actor=to)
    if to == case.assignee:
        return reject("nothing_to_change")
    if not permits(book, to, TakeNextCase):
        return reject("not_a_case_worker", actor=to)
    if is_about(book, case, to):
        return reject("about_oneself")
    mine = membership(book, to)
    if _unskilled(book, case, mine):
        return reject("skill_missing", actor=to, skill=case.skill)
    return None if mine is None else _full(book, mine[1])


def best_for(book: Book, case: Case, at_ms: int, *, pushing: bool = False) -> str | None:
    """Who is on shift, can work the case, has room, and has least to do; the first of those in the policy."""
    policy = book.in_force.cases
    if policy is None:
        return None
    day = day_of(policy, at_ms)
    found: tuple[int, str] | None = None
    for team in policy.teams:
        if (pushing and not team.pushes) or taken_on(book, team.id, day) >= team.capacity_per_day:
            continue
        for member in team.members:
            user = member.user
            load = book.cases.load.get(user, 0)
            if found is not None and load >= found[0]:
                continue
            if (
                load < member.most_cases
                and on_shift(policy, member, at_ms)
                and user != case.assignee
                and _fits(book, case, user, (team, member))
                and permits(book, user, TakeNextCase)
            ):
                found = load, user
    return None if found is None else found[1]


def pushed(book: Book, case_id: str, at_ms: int) -> Iterator[CaseAssigned]:
    """The event that gives a case which has just come into the queue to somebody, where policy wants that."""
    to = best_for(book, book.cases.by_id[case_id], at_ms, pushing=True)
    if to is not None:
        yield _assigned(book, case_id, to, at_ms, how="given")


def _assigned(book: Book, case_id: str, to: str, at_ms: int, *, how: str, note: str = "") -> CaseAssigned:
    policy, mine, case = book.in_force.cases, membership(book, to), book.cases.by_id[case_id]
    counts = policy is not None and mine is not None
    day = day_of(policy, at_ms) if policy is not None and counts else ""
    team = mine[0].id if mine is not None else ""
    due = running(book, case, at_ms)
    if how == "taken" and due.touch_by_ms is not None:  # to take it is to touch it
        due = Due(close_by_ms=due.close_by_ms, left_ms=due.left_ms, band=due.band)
    return CaseAssigned(
        case=case_id,
        to=to,
        person=book.actors[to].person,
        how=how,  # type: ignore[arg-type]
        before=case.assignee,
        note=note,
        team=team,
        day=day,
        taken=taken_on(book, team, day) + (how != "handed_over") if counts else 0,
        due=due,
    )


DECIDE: dict[type, Decide] = {
    TakeNextCase: take_next_case,
    AssignCase: assign_case,
    HandOverCase: hand_over_case,
}
