"""Random alerts, people and time, beside a twin on paper, over two weeks in which clocks change. Whatever is
said, in whatever order: no alert is lost or in two cases, nobody has what another has or what is about
themselves, nobody confirms their own decision, and every clock runs out to the millisecond, or does not.
"""

from __future__ import annotations

import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from book.case import HELD, QUEUED
from replay.redecide import redecide
from replay.verify import verify
from schemas.access import RegisterUser
from schemas.cases import CaseAssigned, CaseClosed, SlaBreached
from schemas.message import Event
from schemas.publishing import PublishDocument
from schemas.rejections import CommandRejected
from tests.case_words import (
    alert,
    assign,
    confirm,
    hand_over,
    member,
    merge,
    open_case,
    pause,
    policy,
    prioritise,
    propose,
    refuse,
    reopen,
    report,
    restrict,
    resume,
    take,
    team,
    workers,
)
from tests.cases_twin import LIVE, MINUTE_MS, MOST, PERSON, SKILLS, STEP_MS, STEPS, URGENT, One, Twin
from tests.story import Said, account, advance, forget, given, grant, say, story, user, when

BEGAN_MS = int(datetime.datetime(2024, 10, 24, 15, tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1_000)
NAMES = ("c1", "c2", "c3", "c4")
CASES = st.sampled_from(NAMES)
THAT = st.integers(0, 11)
"""Which of the cases that there are; now and then one that there is not."""
SOMEBODY = st.sampled_from(["", "", "", *sorted(PERSON)])
"""Whoever has the case, unless somebody is named."""
NAMED: st.SearchStrategy[frozenset[str]] = st.sampled_from(
    [frozenset(), frozenset(), frozenset({"ann", "ann-2", "ben"}), frozenset({"ben", "cid"})]
)
USERS = st.sampled_from(sorted(PERSON))
PRIORITIES = st.sampled_from([0, 0, 7, 60, URGENT, 150])
NUMBERS = st.lists(st.integers(1, 40), min_size=1, max_size=3)
HOURS = {"time_zone": "Europe/Berlin", "opens": "08:00", "closes": "18:00", "calendar": "berlin"}
CLOCKS = [
    {"from_priority": URGENT, "first_touch_m": 20, "resolution_m": 240},
    {"first_touch_m": 90, "resolution_m": 900},
]
LATE = [{"priority": one, "after_m": number * STEP_MS // MINUTE_MS} for number, one in enumerate(STEPS)]
KINDS = [{"kind": kind, "skill": kind, "clocks": CLOCKS, "late": LATE} for kind in ("aml", "fraud")]


class Machine(RuleBasedStateMachine):
    """A book with three people, one of them behind two users and one a customer, and the twin."""

    def __init__(self) -> None:
        super().__init__()
        holiday = {"name": "Berlin", "holidays": [{"date": "2024-11-01"}]}
        members = [member(name, *skills, most_cases=MOST) for name, skills in SKILLS.items()]
        given(
            account("alice"),
            account("bob"),
            workers("ann", "ben"),
            user("cid", of_party="p-bob", roles=["worker"]),
            say(RegisterUser, user="ann-2", person="person-ann"),
            grant("ann-2", "worker"),
            say(PublishDocument, kind="calendar", document="berlin", version=1, body=holiday),
            policy(hours=HOURS, kinds=KINDS, teams=[team(*members)]),
            began=BEGAN_MS,
        )
        self.twin = Twin(story().now)
        self.reported: set[str] = set()
        self.alerts_are_reported("c1", [1], 0, bob=False, by_rule=False)
        self.alerts_are_reported("c2", [2, 3], 60, bob=True, by_rule=True)
        self.a_case_is_opened("c3", URGENT, bob=False, people=frozenset())

    def tell(self, said: Said) -> str:
        """The reason for which it was refused, empty where it was not; the twin is told the time first."""
        self.twin.until(story().now + 1)
        (outcome,) = when(said)
        return outcome[0].reason if isinstance(outcome[0], CommandRejected) else ""

    def says(self, said: Said, expected: str) -> bool:
        """Whether it was done, as the twin expects."""
        found = self.tell(said)
        assert found == expected, f"{said}: {found or 'done'}, not {expected or 'done'}"
        return not found

    def last(self, kind: type[Event]) -> Any:
        return next(one for one in story().last if isinstance(one, kind))

    # --- time and alerts ----------------------------------------------------------------------------------

    @rule(minutes=st.sampled_from([45, 240, 600, 1_440, 3_000, 7]), ms=st.integers(0, 59_999))
    def time_passes(self, minutes: int, ms: int) -> None:
        story().now += minutes * MINUTE_MS + ms
        self.tell(advance(story().now + 1))

    @rule(case=CASES, numbers=NUMBERS, priority=PRIORITIES, bob=st.booleans(), by_rule=st.booleans())
    def alerts_are_reported(
        self, case: str, numbers: list[int], priority: int, bob: bool, by_rule: bool
    ) -> None:
        twin, party = self.twin, "p-bob" if bob else "p-alice"
        source = "rule" if by_rule else "typology"
        alerts = [alert(number, party, source=source) for number in numbers]
        new = [one for one in dict.fromkeys(one.id for one in alerts) if twin.case_of(one) is None]
        said = report(case, *alerts, party=party, priority=priority)
        if not self.says(said, "" if new else "nothing_to_change"):
            return
        self.reported.update(new)
        while case in twin.cases and twin.cases[case].into:
            case = twin.cases[case].into
        one = twin.cases.get(case)
        if one is None:
            one = twin.cases[case] = One(twin.now, "fraud" if by_rule else "aml", {party}, priority)
            one.start()
        elif one.status == "closed":
            one.priority = max(one.priority, priority)
            one.status = "reopened"
            one.start()
        matters = party.removeprefix("p-") not in one.accounts or priority >= URGENT > one.priority
        one.rises(max(one.priority, priority))
        one.alerts += new
        one.parties.add(party)
        one.accounts.add(party.removeprefix("p-"))
        if one.status == "awaiting_second_person" and matters:
            one.status, one.proposer = "in_progress", ""

    @precondition(lambda self: len(self.twin.cases) < 4)
    @rule(case=CASES, priority=PRIORITIES, bob=st.booleans(), people=NAMED)
    def a_case_is_opened(self, case: str, priority: int, bob: bool, people: frozenset[str]) -> None:
        party = "p-bob" if bob else "p-alice"
        said = open_case(case, kind="aml", party=party, priority=priority, people=tuple(sorted(people)))
        if self.says(said, "case_exists" if case in self.twin.cases else ""):
            one = One(self.twin.now, "aml", {party}, priority, people)
            self.twin.cases[case] = one
            one.start()

    # --- who has it ---------------------------------------------------------------------------------------

    @rule(user=USERS, minutes=st.sampled_from([0, 500, 70, 3]))
    def the_next_is_taken(self, user: str, minutes: int) -> None:
        story().now += minutes * MINUTE_MS
        self.twin.until(story().now + 1)
        found = self.twin.next_for(user)
        expected = "" if found else "queue_empty"
        if user not in SKILLS:
            expected = "not_in_team"
        elif self.twin.load(user) >= MOST:
            expected = "case_load_reached"
        if self.says(take().by(user), expected):
            assert self.last(CaseAssigned).case == found
            assert found is not None
            self.twin.given_to(found, user, taken=True)

    @rule(that=THAT, to=USERS, user=SOMEBODY)
    def it_is_given(self, that: int, to: str, user: str) -> None:
        twin, case, user = self._said(that, user, *QUEUED)
        expected = twin.known(case, user, LIVE)
        if not expected and twin.is_about(twin.cases[case], user):
            expected = "about_oneself"
        expected = expected or twin.cannot_have(twin.cases[case], to)
        if self.says(assign(case, to).by(user), expected):
            twin.given_to(case, to)

    @precondition(lambda self: self._any(*HELD))
    @rule(that=THAT, to=st.one_of(st.just(""), USERS), user=SOMEBODY)
    def it_is_handed_over(self, that: int, to: str, user: str) -> None:
        twin, case, user = self._said(that, user, *HELD)
        expected = twin.known(case, user, HELD)
        if not expected and twin.cases[case].assignee != user:
            expected = "not_assignee"
        if not expected and to and twin.is_about(twin.cases[case], user):
            expected = "about_oneself"
        if not expected and to:
            expected = twin.cannot_have(twin.cases[case], to)
        if self.says(hand_over(case, to).by(user), expected):
            if to:
                twin.given_to(case, to)
            else:
                one = twin.cases[case]
                one.assignee, one.status, one.until_ms, one.proposer = "", "open", None, ""

    def _said(self, that: int, user: str, *apt: str) -> tuple[Twin, str, str]:
        """The twin at the time of what is said, which case is meant, and who says it. apt: most times it is
        one in such a state.
        """
        self.twin.until(story().now + 1)
        cases = self.twin.cases
        names = [name for name, one in cases.items() if one.status in apt] if that % 4 else []
        names = names or list(cases)
        case = names[that % len(names)] if that < 11 else NAMES[that % 4]
        return self.twin, case, user or (cases[case].assignee if case in cases else "") or "ben"

    def _any(self, *statuses: str) -> bool:
        return any(one.status in statuses for one in self.twin.cases.values())

    # --- work ---------------------------------------------------------------------------------------------

    @precondition(lambda self: self._any("in_progress"))
    @rule(that=THAT, user=SOMEBODY, minutes=st.none() | st.sampled_from([30, 300, 2_000]))
    def it_waits(self, that: int, user: str, minutes: int | None) -> None:
        _, case, user = self._said(that, user, "in_progress")
        until_ms = None if minutes is None else story().now + minutes * MINUTE_MS
        if self.says(pause(case, until_ms).by(user), self.twin.at_work(case, user)):
            one = self.twin.cases[case]
            one.status, one.until_ms, one.touch = "waiting", until_ms, None

    @precondition(lambda self: self._any("waiting"))
    @rule(that=THAT, user=SOMEBODY)
    def it_goes_on(self, that: int, user: str) -> None:
        _, case, user = self._said(that, user, "waiting")
        if self.says(resume(case).by(user), self.twin.at_work(case, user, "waiting")):
            one = self.twin.cases[case]
            one.status, one.until_ms = "in_progress", None

    @rule(that=THAT, user=SOMEBODY, priority=PRIORITIES)
    def it_is_more_urgent(self, that: int, user: str, priority: int) -> None:
        twin, case, user = self._said(that, user)
        expected = twin.known(case, user, LIVE)
        if not expected and twin.is_about(twin.cases[case], user):
            expected = "about_oneself"
        if not expected and twin.cases[case].priority == priority:
            expected = "nothing_to_change"
        if self.says(prioritise(case, priority).by(user), expected):
            twin.cases[case].rises(priority)

    @rule(that=THAT, user=SOMEBODY, people=NAMED)
    def others_may_see_it(self, that: int, user: str, people: frozenset[str]) -> None:
        twin, case, user = self._said(that, user)
        expected = twin.known(case, user, (*LIVE, "closed"))
        if not expected and twin.is_about(twin.cases[case], user):
            expected = "about_oneself"
        if not expected and twin.cases[case].people == people:
            expected = "nothing_to_change"
        if self.says(restrict(case, *sorted(people)).by(user), expected):
            twin.cases[case].people = people

    # --- decisions ----------------------------------------------------------------------------------------

    @precondition(lambda self: self._any("in_progress"))
    @rule(that=THAT, user=SOMEBODY)
    def a_decision_is_proposed(self, that: int, user: str) -> None:
        _, case, user = self._said(that, user, "in_progress")
        if self.says(propose(case).by(user), self.twin.at_work(case, user)):
            one = self.twin.cases[case]
            one.status, one.proposer, one.touch = "awaiting_second_person", user, None

    @precondition(lambda self: self._any("awaiting_second_person"))
    @rule(that=THAT, user=USERS, yes=st.booleans())
    def another_person_says(self, that: int, user: str, yes: bool) -> None:
        twin, case, user = self._said(that, user, "awaiting_second_person")
        expected = twin.known(case, user, ("awaiting_second_person",))
        proposed = story().book.cases.by_id[case].proposed if not expected else None
        seq = 1 if proposed is None else proposed.seq
        if not expected:
            one = twin.cases[case]
            if twin.is_about(one, user):
                expected = "about_oneself"
            elif yes and PERSON[one.proposer] == PERSON[user]:
                expected = "second_person_needed"
        if self.says((confirm if yes else refuse)(case, seq).by(user), expected):
            if yes:
                closed = self.last(CaseClosed)
                assert [each.id for each in closed.alerts] == twin.cases[case].alerts
                assert len(set(closed.persons)) == 2
                twin.closed(case)
            else:
                twin.cases[case].status, twin.cases[case].proposer = "in_progress", ""

    @precondition(lambda self: self._any("closed"))
    @rule(that=THAT, user=SOMEBODY)
    def it_is_reopened(self, that: int, user: str) -> None:
        twin, case, user = self._said(that, user, "closed")
        expected = twin.known(case, user, ("closed",))
        if not expected and twin.cases[case].into:
            expected = "case_merged"
        if not expected and twin.is_about(twin.cases[case], user):
            expected = "about_oneself"
        if self.says(reopen(case).by(user), expected):
            twin.cases[case].status = "reopened"
            twin.cases[case].start()

    @rule(that=THAT, into=CASES, user=SOMEBODY)
    def two_are_one(self, that: int, into: str, user: str) -> None:
        twin, case, user = self._said(that, user)
        unseen = [twin.known(one, user, (*LIVE, "closed")) for one in (case, into)]
        over = [twin.known(one, user, LIVE) for one in (case, into)]
        expected = next((one for one in (*unseen, *over) if one), "")
        if not expected:
            one, other = twin.cases[case], twin.cases[into]
            if case == into:
                expected = "nothing_to_change"
            elif one.people != other.people:
                expected = "people_differ"
            elif twin.is_about(one, user) or twin.is_about(other, user):
                expected = "about_oneself"
        if self.says(merge(case, into).by(user), expected):
            one, other = twin.cases[case], twin.cases[into]
            other.alerts += one.alerts
            other.parties |= one.parties
            other.accounts |= one.accounts
            other.rises(max(one.priority, other.priority))
            if other.status == "awaiting_second_person":
                other.status, other.proposer = "in_progress", ""
            one.alerts = []
            one.into = into
            twin.closed(case)

    # --- what always holds --------------------------------------------------------------------------------

    @invariant()
    def no_alert_is_lost_or_in_two_cases(self) -> None:
        cases = story().book.cases
        held = [each.id for one in cases.by_id.values() for each in one.alerts]
        assert sorted(held) == sorted(self.reported) == sorted(cases.alerts)
        assert all(
            any(each.id == name for each in cases.by_id[of].alerts) for name, of in cases.alerts.items()
        )

    @invariant()
    def cases_are_what_the_twin_has(self) -> None:
        cases = story().book.cases
        assert cases.by_id.keys() == self.twin.cases.keys()
        for name, one in self.twin.cases.items():
            case = cases.by_id[name]
            assert (case.status, case.assignee) == (one.status, one.assignee), name
            assert (case.priority, case.steps, set(case.parties)) == (one.priority, one.steps, one.parties)
            assert (case.touch_late, case.close_late) == (one.touch_late, one.late_ms is not None), name
        assert set(cases.queue) == {name for name, one in cases.by_id.items() if one.status in QUEUED}
        assert cases.load == {name: self.twin.load(name) for name in PERSON if self.twin.load(name)}

    @invariant()
    def clocks_ran_out_when_the_twin_says(self) -> None:
        found = [(one.case, one.clock, one.at) for one in story().events() if isinstance(one, SlaBreached)]
        assert sorted(found) == sorted(self.twin.breaches)

    @invariant()
    def timers_are_those_of_cases_that_run(self) -> None:
        book = story().book
        for timer in book.timers.due:
            kind, _, name = timer.partition("\n")
            if kind.startswith("case_"):
                assert book.cases.by_id[name].status in LIVE, timer

    def teardown(self) -> None:
        told = story()
        told.check()
        assert verify(told.log.reader()).ok
        assert redecide(told.log.reader()).ok
        forget()


QUICK = settings(
    max_examples=50,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def test_no_sequence_loses_an_alert_doubles_work_or_bends_a_clock() -> None:
    run_state_machine_as_test(Machine, settings=QUICK)


@pytest.mark.long
def test_no_longer_sequence_does_either() -> None:
    run_state_machine_as_test(Machine, settings=settings(QUICK, max_examples=500, stateful_step_count=90))
