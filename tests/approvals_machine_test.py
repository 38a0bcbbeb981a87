"""Random makers, checkers, roles that come and go, people who stand in, time that passes and policies that
change, beside a naive twin. Whatever is said, in whatever order:

nobody both makes and checks, also behind two users or through another; nothing is done without its quorum;
a right that is gone counts no more; other terms are approved anew; what waits has exactly its money reserved.
"""

from __future__ import annotations

import datetime

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from replay.redecide import redecide
from replay.verify import verify
from schemas.access import (
    DefineRole,
    GrantRole,
    Permit,
    RegisterUser,
    ReinstateActor,
    RevokeRole,
    SuspendActor,
)
from schemas.approvals import (
    ApprovalFailed,
    ApprovalGiven,
    ApprovalRequested,
    Approve,
    Decline,
    Delegate,
    RevokeDelegation,
    TermsChanged,
    Withdraw,
)
from schemas.books import TimeAdvanced
from schemas.message import Event
from schemas.publishing import PublishDocument
from schemas.rejections import CommandRejected
from schemas.transfers import TransferPosted
from tests.approvals_twin import CHECKING, DAY_MS, EXPIRES_MS, PEOPLE, POLICIES, THRESHOLD, Twin, Waits, Yes
from tests.approvals_words import roles
from tests.story import (
    BEGAN_MS,
    Said,
    account,
    advance,
    book,
    forget,
    given,
    later,
    say,
    story,
    transfer,
    user,
    when,
)  # fmt: skip

USERS = st.sampled_from(sorted(PEOPLE))
MAKERS = st.sampled_from(["mia", "mia", "mia-2", "cora", "max"])
ROLES = st.sampled_from(["maker", *sorted(CHECKING)])
MADE = {
    "maker": ("Transfer", "Withdraw"),
    "checker": ("Approve", "Decline", "Delegate", "RevokeDelegation"),
    "risk": ("Approve", "Decline"),
}
HAVE = {
    "mia": {"maker", "checker"},
    "mia-2": {"maker", "checker", "risk"},
    "cora": {"checker"},
    "carl": {"checker", "risk"},
    "max": {"risk"},
    "nora": {"night"},
}
BALANCE = 5_000


class Machine(RuleBasedStateMachine):
    """A book with a maker of two users and four checkers, and what the twin thinks of it."""

    def __init__(self) -> None:
        super().__init__()
        given(
            book(),
            *(say(DefineRole, role=name, permits=tuple(Permit(command=one) for one in permits))
              for name, permits in MADE.items()),
            roles({"id": "night", "emergency": True,
                   "permits": [{"command": "Approve"}, {"command": "Decline"}]}),
            *(user(name) for name in PEOPLE if name != "mia-2"),
            say(RegisterUser, user="mia-2", person="person-mia"),
            *(say(GrantRole, subject=name, role=one) for name, had in HAVE.items() for one in sorted(had)),
            account("alice", balance=BALANCE),
            account("bob"),
        )  # fmt: skip
        self.twin = Twin(BALANCE, {name: set(had) for name, had in HAVE.items()}, policy="nobody")
        self.versions = 0
        self.delegated = 0

    def tell(self, said: Said) -> tuple[Event, ...]:
        return when(said)[-1]

    def day(self) -> int:
        """The business day that the next command falls on."""
        return (story().now + 1) // DAY_MS

    # --- what may happen ---------------------------------------------------------------------------------

    @initialize(policy=st.sampled_from(sorted(POLICIES)), maker=st.sampled_from(["mia", "mia-2"]))
    def begin(self, policy: str, maker: str) -> None:
        self.publish(policy)
        self.pay(maker, THRESHOLD)

    @rule(policy=st.sampled_from(sorted(POLICIES)))
    def publish(self, policy: str) -> None:
        found = POLICIES[policy]
        common = {"id": "large", "commands": ["Transfer"], "when": {"amounts": {"EUR": THRESHOLD}}}
        lines = [] if found is None else [{**common, "expires_after_s": EXPIRES_MS // 1_000, **found}]
        self.versions += 1
        (event,) = self.tell(
            say(PublishDocument, kind="approval_policy", document="p", version=self.versions,
                body={"lines": lines})
        )  # fmt: skip
        if isinstance(event, CommandRejected):
            assert "nobody could satisfy it" in str(event.figures["detail"])
            self.versions -= 1
        else:
            self.twin.policy = policy

    @rule(maker=MAKERS, amount=st.sampled_from([1, THRESHOLD - 1, THRESHOLD, 250, 600]))
    def pay(self, maker: str, amount: int) -> None:
        expected = self.twin.pay(maker, amount)
        day = self.day()
        (event,) = self.tell(transfer("alice", "bob", amount).by(maker))
        if isinstance(event, CommandRejected):
            assert event.reason == expected
        elif isinstance(event, ApprovalRequested):
            assert expected == "waits"
            until_ms = event.at + EXPIRES_MS
            self.twin.waiting[event.seq] = Waits(maker, amount, self.twin.policy, day, until_ms)
        else:
            assert isinstance(event, TransferPosted)
            assert expected == "paid"
            self.twin.move(amount)

    @rule(order=st.permutations(sorted(PEOPLE)), which=st.integers(0, 1))
    def everybody_says_yes(self, order: list[str], which: int) -> None:
        self.something_waits()
        for checker in order:
            self.approve(checker, which, as_shown=True)

    @rule(checker=USERS, which=st.integers(0, 2), as_shown=st.sampled_from([True] * 9 + [False]))
    def say_yes(self, checker: str, which: int, as_shown: bool) -> None:
        self.something_waits()
        self.approve(checker, which, as_shown=as_shown)

    def something_waits(self) -> None:
        """Nearly always."""
        if not self.twin.waiting:
            self.pay("mia", THRESHOLD)

    def approve(self, checker: str, which: int, *, as_shown: bool) -> None:
        number = self.pick(which)
        expected = self.twin.approve(number, checker, as_shown=as_shown)
        day = self.day()
        seen = story().book.approvals.waiting.get(number)
        shown = seen.shown if seen is not None and as_shown else "not so"
        outcome = self.tell(say(Approve, approval=number, shown=shown).by(checker))
        first = outcome[0]
        if isinstance(expected, str):
            assert isinstance(first, CommandRejected)
            assert first.reason == expected
            return
        assert isinstance(first, ApprovalGiven), (first, expected)
        self.counted(first, expected, number)
        came = self.twin.said_yes(number, expected, day)
        kinds = {
            "waits": (),
            "failed": (ApprovalFailed,),
            "changed": (TermsChanged,),
            "paid": (TransferPosted,),
        }
        assert tuple(type(one) for one in outcome[1:]) == kinds[came]
        assert (first.missing == 0) == (came != "waits")

    def counted(self, event: ApprovalGiven, yes: Yes, number: int) -> None:
        one = self.twin.waiting[number]
        assert PEOPLE[event.user] != PEOPLE[one.maker]
        assert (event.user, event.on_behalf_of or event.user) == (yes.user, yes.behind)
        assert (set(event.roles), event.override) == (set(yes.roles), yes.override)
        people = [f"person-{PEOPLE[each.user]}" for each in self.twin.standing(one)]
        assert event.person not in people

    @rule(checker=USERS, which=st.integers(0, 5))
    def decline(self, checker: str, which: int) -> None:
        self.something_waits()
        number = self.pick(which)
        expected = self.twin.approve(number, checker, as_shown=True)
        (event,) = self.tell(say(Decline, approval=number, reason="no").by(checker))
        if isinstance(expected, str):
            assert isinstance(event, CommandRejected)
            assert event.reason == expected
        else:
            self.twin.end(number, "declined")

    @rule(maker=USERS, which=st.integers(0, 5))
    def withdraw(self, maker: str, which: int) -> None:
        number = self.pick(which)
        one = self.twin.waiting.get(number)
        (event,) = self.tell(say(Withdraw, approval=number, reason="no").by(maker))
        if self.twin.may_make(maker) and one is not None and PEOPLE[one.maker] == PEOPLE[maker]:
            assert not isinstance(event, CommandRejected)
            self.twin.end(number, "withdrawn")
        else:
            assert isinstance(event, CommandRejected)

    @rule(subject=USERS, name=ROLES)
    def grant_or_revoke(self, subject: str, name: str) -> None:
        had = self.twin.roles[subject]
        (event,) = self.tell(say(RevokeRole if name in had else GrantRole, subject=subject, role=name))
        assert not isinstance(event, CommandRejected)
        had ^= {name}

    @rule(subject=USERS)
    def suspend_or_reinstate(self, subject: str) -> None:
        stopped = subject in self.twin.suspended
        (event,) = self.tell(say(ReinstateActor if stopped else SuspendActor, subject=subject, reason="so"))
        assert not isinstance(event, CommandRejected)
        self.twin.suspended ^= {subject}

    @rule(of=USERS, to=USERS, days=st.sampled_from([1, 3]))
    def delegate(self, of: str, to: str, days: int) -> None:
        self.delegated += 1
        until_ms = story().now + days * DAY_MS
        fields = {"to": to, "roles": ("checker",), "from_ms": 0, "until_ms": until_ms, "reason": "away"}
        (event,) = self.tell(say(Delegate, delegation=f"d{self.delegated}", **fields).by(of))
        able = of not in self.twin.suspended and "checker" in self.twin.roles[of]
        assert isinstance(event, CommandRejected) == (not able or PEOPLE[of] == PEOPLE[to])
        if not isinstance(event, CommandRejected):
            self.twin.delegations[f"d{self.delegated}"] = (of, to, until_ms)

    @rule(by=USERS, which=st.integers(0, 3))
    def revoke_delegation(self, by: str, which: int) -> None:
        name = f"d{max(1, self.delegated - which)}"
        (event,) = self.tell(say(RevokeDelegation, delegation=name).by(by))
        if not isinstance(event, CommandRejected):
            of, to, _ = self.twin.delegations.pop(name)
            assert PEOPLE[by] in {PEOPLE[of], PEOPLE[to]}

    @rule(ms=st.sampled_from([1_000, DAY_MS // 3, DAY_MS, EXPIRES_MS]))
    def time_passes(self, ms: int) -> None:
        """The book sees it at once, so nothing expires between two commands."""
        (event,) = when(later(ms=ms), advance(story().now + ms + 1))[-1]
        assert isinstance(event, TimeAdvanced)
        self.twin.tick(event.at)

    def pick(self, which: int) -> int:
        """One that waits, the newest first; or one that did, or one that never was."""
        numbers = [*sorted(self.twin.waiting, reverse=True), *sorted(self.twin.over, reverse=True), 1]
        return numbers[min(which, len(numbers) - 1)]

    # --- what always holds -------------------------------------------------------------------------------

    @invariant()
    def what_waits_has_exactly_its_money_reserved(self) -> None:
        told = story().book
        alice = told.accounts["alice"]
        waiting = told.approvals.waiting
        assert alice.held == sum(one.amount for each in waiting.values() for one in each.reserves)
        assert alice.held == self.twin.held()
        assert set(waiting) == set(self.twin.waiting)
        assert (alice.booked, told.accounts["bob"].booked) == (self.twin.balance, self.twin.paid)
        assert alice.booked - alice.held >= 0

    @invariant()
    def nobody_makes_and_checks(self) -> None:
        for one in story().book.approvals.waiting.values():
            people = [name for yes in one.approvals for name in {yes.person, yes.behind} - {""}]
            assert one.person not in people
            assert len(people) == len(set(people))

    def teardown(self) -> None:
        told = story()
        told.check()
        assert verify(told.log.reader()).ok
        assert redecide(told.log.reader()).ok
        forget()


QUICK = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def test_no_sequence_of_commands_gets_around_the_second_person() -> None:
    run_state_machine_as_test(Machine, settings=QUICK)


@pytest.mark.long
def test_no_longer_sequence_does_either() -> None:
    run_state_machine_as_test(Machine, settings=settings(QUICK, max_examples=600, stateful_step_count=80))


def test_the_day_of_the_twin_is_the_books() -> None:
    given()
    assert story().book.business_date == datetime.date(1970, 1, 1) + datetime.timedelta(BEGAN_MS // DAY_MS)
