"""Random holds and payments under a hostile rail, beside a naive twin.

The twin is a handful of lists that are scanned for every figure. After every step the balances, what is held,
what is in transit and what suspense bears are what it says; nobody spends the same money twice; captures
never exceed the hold and returns never exceed the payment. Each history is verified and decided again.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import get_args

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from schemas.rail_reports import ReportStatus
from schemas.rejections import CommandRejected
from schemas.repairs import RepairAction
from tests.payment_words import (
    HOUR_MS,
    cancel,
    capture,
    hold,
    pay,
    rails,
    raised,
    recall,
    release,
    repair,
    repairers,
    report,
    resume,
    screened,
    stop,
)
from tests.story import (
    BEGAN_MS,
    TODAY,
    Said,
    account,
    balance,
    given,
    later,
    prove,
    the_account,
    transfer,
    when,
)

START = 400
PEOPLE = ("alice", "bob")
TOMORROW = TODAY.replace(day=TODAY.day + 1)
MIDNIGHT_MS = BEGAN_MS + 14 * HOUR_MS
IN_TRANSIT = ("dispatched", "accepted")

amounts = st.integers(1, 90)
names = st.integers(0, 2)
picks = st.integers(0, 99)
"""Which of the payments that there are."""
people = st.sampled_from(PEOPLE)
STATUSES: tuple[ReportStatus, ...] = get_args(ReportStatus)
ACTIONS: tuple[RepairAction, ...] = get_args(RepairAction)
HOW_MUCH = ("", "whole", "part", "one more")


@dataclass
class Held:
    account: str
    left: int
    expires_ms: int
    captured: int = 0
    amount: int = 0


@dataclass
class Paid:
    """nostro: what our nostro account has paid and not got back.   bears: who has paid it in the end."""

    account: str
    amount: int
    status: str
    tomorrow: bool
    silent_ms: int = 0
    nostro: int = 0
    bears: str = ""
    returned: int = 0
    refs: list[str] = field(default_factory=list)
    recall: str = ""
    repair: str = ""
    wants: tuple[str, str] = ("", "")
    hit: bool = False
    sent: int = 1
    at: int = 0


class Twin:
    """What should be so."""

    def __init__(self) -> None:
        self.now = 0
        self.holds: dict[str, Held] = {}
        self.payments: dict[str, Paid] = {}
        self.shop = 0
        self.moved = dict.fromkeys(PEOPLE, 0)
        self.stopped = False
        self.hit: set[str] = set()
        self.cleared_ms = 0

    def held(self, one: str) -> int:
        holds = sum(hold.left for hold in self.holds.values() if hold.account == one)
        return holds + sum(
            paid.amount for paid in self.payments.values() if (paid.account, paid.status) == (one, "waiting")
        )

    def booked(self, one: str) -> int:
        """Everything but what is out on the account's behalf."""
        out = 0
        for paid in self.payments.values():
            if paid.account == one:
                if paid.status in IN_TRANSIT:
                    out += paid.amount
                elif paid.bears == one:
                    out += paid.nostro
        return START + self.moved[one] - out

    def available(self, one: str) -> int:
        return self.booked(one) - self.held(one)

    def transit(self) -> int:
        return sum(paid.amount for paid in self.payments.values() if paid.status in IN_TRANSIT)

    def suspense(self) -> int:
        return -sum(paid.nostro for paid in self.payments.values() if paid.bears == "suspense")

    def nostro(self) -> int:
        return sum(paid.nostro for paid in self.payments.values())

    def pass_to(self, now: int) -> None:
        """What happens by itself until then."""
        self.now = now
        for name, one in list(self.holds.items()):
            if one.expires_ms <= now:
                del self.holds[name]
        for paid in self.payments.values():
            self.look(paid)
        for paid in self.payments.values():
            if paid.status in IN_TRANSIT and 0 < paid.silent_ms <= now:
                paid.repair, paid.wants, paid.silent_ms = "no_answer", ("", ""), 0

    def look(self, paid: Paid) -> None:
        waits = self.stopped or paid.hit or paid.account in self.hit
        if paid.status == "waiting" and not waits and not (paid.tomorrow and self.now < MIDNIGHT_MS):
            sent_ms = max(paid.at, self.cleared_ms, MIDNIGHT_MS if paid.tomorrow else 0)
            paid.status, paid.silent_ms = "dispatched", sent_ms + HOUR_MS

    # --- what a report means: True where something changed --------------------------------------------

    def settle(self, paid: Paid) -> None:
        late = paid.status not in IN_TRANSIT
        paid.nostro, paid.returned = paid.amount, 0
        paid.status, paid.bears = ("disputed", "suspense") if late else ("settled", paid.account)
        paid.silent_ms = 0
        self.repaired(paid, "settled_after_failed" if late else "")

    def repaired(self, paid: Paid, reason: str = "") -> None:
        paid.repair, paid.wants = reason, ("", "")

    def came_back(self, paid: Paid, amount: int, ref: str, *, recalled: bool) -> None:
        paid.nostro -= amount
        paid.returned += amount
        paid.refs.append(ref)
        if recalled:
            paid.recall = "accepted"
        if paid.returned == paid.amount:
            paid.status = "recalled" if recalled else "returned"
            self.repaired(paid)

    def report(self, paid: Paid, status: str, amount: int | None, ref: str) -> bool:
        moved = bool(paid.nostro or paid.bears)
        if paid.status in {"waiting", "cancelled"}:
            return False
        if status == "accepted":
            if paid.status != "dispatched":
                return False
            paid.status, paid.silent_ms = "accepted", self.now + HOUR_MS
            self.repaired(paid)
        elif status == "unknown":
            if paid.status not in IN_TRANSIT or paid.repair:
                return False
            self.repaired(paid, "outcome_unknown")
            paid.silent_ms = 0
        elif status == "settled":
            if moved:
                return False
            if paid.status in IN_TRANSIT and amount not in (None, paid.amount):
                return self.mismatch(paid)
            self.settle(paid)
        elif status == "failed":
            if paid.status in IN_TRANSIT:
                paid.status, paid.silent_ms = "failed", 0
                self.repaired(paid)
            elif paid.status == "settled" and not paid.returned and paid.repair != "failed_after_settled":
                self.repaired(paid, "failed_after_settled")
            else:
                return False
        elif status == "returned":
            fresh = not moved and paid.status not in IN_TRANSIT
            left = paid.amount if fresh else paid.amount - paid.returned
            wanted = left if amount is None else amount
            if ref in paid.refs or not 0 < wanted <= left:
                return False
            if not moved:
                self.settle(paid)
            self.came_back(paid, wanted, ref, recalled=False)
        elif status == "recall_accepted":
            left = paid.amount - paid.returned
            wanted = left if amount is None else amount
            if paid.recall != "requested" or paid.status not in (*IN_TRANSIT, "settled") or ref in paid.refs:
                return False
            if wanted > left:
                return False
            if paid.status in IN_TRANSIT:
                if wanted < left:
                    return self.mismatch(paid)
                paid.status, paid.recall, paid.silent_ms = "recalled", "accepted", 0
                paid.returned = paid.amount
                paid.refs.append(ref)
                self.repaired(paid)
            else:
                self.came_back(paid, wanted, ref, recalled=True)
        else:
            if paid.recall != "requested":
                return False
            paid.recall = "refused"
        return True

    def mismatch(self, paid: Paid) -> bool:
        if paid.repair == "amount_mismatch":
            return False
        self.repaired(paid, "amount_mismatch")
        paid.silent_ms = 0
        return True

    def repair(self, paid: Paid, action: str, person: str) -> bool:
        transit = paid.status in IN_TRANSIT
        if not paid.repair:
            return False
        if transit and action in {"ask", "resend"}:
            if action == "resend":
                if paid.sent >= 3:
                    return False
                paid.sent += 1
            paid.silent_ms = self.now + HOUR_MS
            return True
        possible = {"settle", "fail"} if transit else {"close"}
        if not transit and paid.repair == "failed_after_settled":
            possible = {"settle", "fail", "close"}
        elif paid.status == "disputed":
            possible = {"charge", "close"}
        if action not in possible:
            return False
        if paid.wants[0] != action:
            paid.wants = (action, person)
            return True
        if paid.wants[1] == person:
            return False
        if action == "charge":
            if self.available(paid.account) < paid.nostro:
                return False
            paid.bears, paid.status = paid.account, "settled"
        elif transit and action == "settle":
            self.settle(paid)
        elif transit:
            paid.status, paid.silent_ms = "failed", 0
        elif action == "fail":
            self.came_back(paid, paid.amount - paid.returned, "", recalled=False)
        self.repaired(paid)
        return True


def some_payments(machine: Machine) -> bool:
    return bool(machine.twin.payments)


class Machine(RuleBasedStateMachine):
    """A book, a rail that says anything at any time, and the twin."""

    @initialize()
    def begin(self) -> None:
        self.told = given(
            account("alice", START),
            account("bob", START),
            account("shop"),
            account("ticker"),
            rails(),
            repairers(),
        )
        self.ticks = 0
        self.twin = Twin()

    def say(self, said: Said) -> bool:
        """Whether it was accepted. The twin lives up to the same moment first."""
        self.twin.pass_to(self.told.now + 1)
        ((first, *_),) = when(said)
        return not isinstance(first, CommandRejected)

    # --- holds ----------------------------------------------------------------------------------------

    @rule(name=names, who=people, amount=amounts, seconds=st.sampled_from([1, 3_600, 86_400]))
    def place(self, name: int, who: str, amount: int, seconds: int) -> None:
        done = self.say(hold(who, amount, f"h{name}", expires_after_s=seconds))
        twin = self.twin
        assert done == (f"h{name}" not in twin.holds and twin.available(who) >= amount)
        if done:
            twin.holds[f"h{name}"] = Held(who, amount, twin.now + seconds * 1_000, amount=amount)

    @rule(name=names, amount=amounts)
    def raise_it(self, name: int, amount: int) -> None:
        done = self.say(raised(amount, f"h{name}"))
        one = self.twin.holds.get(f"h{name}")
        assert done == (one is not None and self.twin.available(one.account) >= amount)
        if done and one is not None:
            one.left += amount
            one.amount += amount

    @rule(name=names, amount=amounts, final=st.booleans())
    def take(self, name: int, amount: int, final: bool) -> None:
        done = self.say(capture(amount, "shop", f"h{name}", final=final))
        one = self.twin.holds.get(f"h{name}")
        assert done == (one is not None and one.left >= amount)
        if done and one is not None:
            one.left -= amount
            one.captured += amount
            assert one.captured <= one.amount
            self.twin.moved[one.account] -= amount
            self.twin.shop += amount
            if final or not one.left:
                del self.twin.holds[f"h{name}"]

    @rule(name=names)
    def let_go(self, name: int) -> None:
        assert self.say(release(f"h{name}")) == (self.twin.holds.pop(f"h{name}", None) is not None)

    # --- payments -------------------------------------------------------------------------------------

    def payment(self, pick: int) -> tuple[str, Paid]:
        """One of the payments; the newer half more often."""
        names = [*self.twin.payments]
        name = names[-1 - pick // 2 % len(names)] if pick % 2 else names[pick // 2 % len(names)]
        return name, self.twin.payments[name]

    @rule(who=people, amount=amounts, tomorrow=st.integers(0, 3).map(lambda n: n == 0), again=picks)
    def submit(self, who: str, amount: int, tomorrow: bool, again: int) -> None:
        tomorrow = tomorrow and self.told.now + 1 < MIDNIGHT_MS
        name = again if again < 3 else 3 + len(self.twin.payments)
        said = pay(f"p{name}", amount, who, **({"execution_date": TOMORROW} if tomorrow else {}))
        done = self.say(said)
        twin = self.twin
        assert done == (f"p{name}" not in twin.payments and twin.available(who) >= amount)
        if done:
            twin.payments[f"p{name}"] = paid = Paid(who, amount, "waiting", tomorrow, at=twin.now)
            twin.look(paid)

    @precondition(some_payments)
    @rule(pick=picks)
    def take_back(self, pick: int) -> None:
        name, paid = self.payment(pick)
        done = self.say(cancel(name))
        assert done == (paid.status == "waiting")
        if done:
            paid.status = "cancelled"

    @precondition(some_payments)
    @rule(pick=picks)
    def call_back(self, pick: int) -> None:
        name, paid = self.payment(pick)
        done = self.say(recall(name))
        assert done == (paid.status in (*IN_TRANSIT, "settled") and paid.recall != "requested")
        if done:
            paid.recall = "requested"

    @precondition(some_payments)
    @rule(
        pick=picks,
        answers=st.lists(
            st.tuples(
                st.sampled_from(STATUSES),
                st.sampled_from(HOW_MUCH),
                st.sampled_from(["", "r1", "r2"]),
            ),
            min_size=1,
            max_size=4,
        ),
    )
    def hear(self, pick: int, answers: list[tuple[ReportStatus, str, str]]) -> None:
        name, paid = self.payment(pick)
        left = paid.amount - paid.returned
        for status, how_much, ref in answers:
            amount = {"": None, "whole": left, "part": left // 2, "one more": left + 1}[how_much] or None
            done = self.say(report(name, status, amount, ref))
            assert done == self.twin.report(paid, status, amount, ref)

    @precondition(some_payments)
    @rule(
        pick=picks,
        action=st.sampled_from(ACTIONS),
        who=st.sampled_from(["rita", "rolf"]),
        both=st.booleans(),
    )
    def mend(self, pick: int, action: RepairAction, who: str, both: bool) -> None:
        queue = [name for name, paid in self.twin.payments.items() if paid.repair]
        name = queue[pick % len(queue)] if queue and pick % 10 else self.payment(pick)[0]
        for person in ("rita", "rolf") if both else (who,):
            done = self.say(repair(name, action, person))
            assert done == self.twin.repair(self.twin.payments[name], action, person)

    # --- what stands in the way, and time -------------------------------------------------------------

    @rule(seldom=st.integers(0, 5))
    def switch(self, seldom: int) -> None:
        if seldom and not self.twin.stopped:
            return
        assert self.say(resume("s") if self.twin.stopped else stop("s"))
        self.twin.stopped = not self.twin.stopped
        self.cleared()

    @rule(who=people, seldom=st.integers(0, 5))
    def screen(self, who: str, seldom: int) -> None:
        clear = seldom > 0
        done = self.say(screened("party", f"p-{who}", "cleared" if clear else "hit"))
        assert done == ((who in self.twin.hit) == clear)
        if done:
            self.twin.hit ^= {who}
            self.cleared()

    @precondition(some_payments)
    @rule(pick=picks, clear=st.booleans())
    def screen_payment(self, pick: int, clear: bool) -> None:
        name, paid = self.payment(pick)
        done = self.say(screened("payment", name, "cleared" if clear else "hit"))
        assert done == (paid.status == "waiting" and paid.hit == clear)
        if done:
            paid.hit = not clear
            self.cleared()

    @rule(ms=st.sampled_from([1, 1_000, HOUR_MS, 5 * HOUR_MS]))
    def wait(self, ms: int) -> None:
        when(later(ms=ms))
        self.tick()

    @rule(amount=amounts)
    def move(self, amount: int) -> None:
        done = self.say(transfer("alice", "bob", amount))
        assert done == (self.twin.available("alice") >= amount)
        if done:
            self.twin.moved["alice"] -= amount
            self.twin.moved["bob"] += amount

    def cleared(self) -> None:
        """Something that may have stood in the way of payments does so no longer, or another thing does."""
        self.twin.cleared_ms = self.twin.now
        self.tick()

    def tick(self) -> None:
        """A command of nobody's, so that what is due by now has happened."""
        assert self.say(transfer("nostro", "ticker", 1))
        self.ticks += 1

    @rule(seed=st.integers(0, 2**32 - 1))
    def storm(self, seed: int) -> None:
        """A dozen things that go far: what Hypothesis draws one by one seldom meets a payment twice."""
        draw = random.Random(seed)
        weights = {
            self._hear: 8,
            self._mend: 6,
            self._submit: 3,
            self._take: 3,
            self._place: 2,
            self._back: 3,
            self._hold: 2,
            self._wait: 1,
        }
        for act in draw.choices([*weights], [*weights.values()], k=12):
            act(draw)
            self.the_twin_is_right()

    def _hear(self, draw: random.Random) -> None:
        if self.twin.payments:
            answers = [
                (draw.choice(STATUSES), draw.choice(HOW_MUCH), draw.choice(["", "r1", "r2", "r3"]))
                for _ in range(draw.randint(1, 3))
            ]
            self.hear(pick=draw.randrange(100), answers=answers)

    def _mend(self, draw: random.Random) -> None:
        if self.twin.payments:
            who, both = draw.choice(["rita", "rolf"]), draw.random() < 0.7
            self.mend(pick=draw.randrange(100), action=draw.choice(ACTIONS), who=who, both=both)

    def _submit(self, draw: random.Random) -> None:
        who, amount = draw.choice(PEOPLE), draw.randint(1, 60)
        self.submit(who=who, amount=amount, tomorrow=draw.random() < 0.2, again=draw.randrange(100))

    def _back(self, draw: random.Random) -> None:
        if self.twin.payments:
            back = self.call_back if draw.random() < 0.7 else self.take_back
            back(pick=draw.randrange(100))

    def _place(self, draw: random.Random) -> None:
        who, amount, seconds = draw.choice(PEOPLE), draw.randint(1, 60), draw.choice([3_600, 86_400])
        self.place(name=draw.randrange(3), who=who, amount=amount, seconds=seconds)

    def _take(self, draw: random.Random) -> None:
        name, one = draw.choice([*self.twin.holds.items()] or [("h0", None)])
        left = 1 if one is None else one.left
        amount = draw.choice([left, left + 1, draw.randint(1, 60)])
        self.take(name=int(name[1:]), amount=amount, final=draw.random() < 0.2)

    def _hold(self, draw: random.Random) -> None:
        name = draw.randrange(3)
        if draw.random() < 0.7:
            self.raise_it(name=name, amount=draw.randint(1, 60))
        else:
            self.let_go(name=name)

    def _wait(self, draw: random.Random) -> None:
        self.wait(ms=draw.choice([1, 60_000, HOUR_MS]))

    # --- what is always so ----------------------------------------------------------------------------

    @invariant()
    def the_twin_is_right(self) -> None:
        twin = self.twin
        for one in PEOPLE:
            assert (balance(one), the_account(one).held) == (twin.booked(one), twin.held(one))
            assert balance(one) >= the_account(one).held >= 0, "nobody spends the same money twice"
        assert balance("sepa-transit") == twin.transit()
        assert balance("sepa-suspense") == twin.suspense()
        assert balance("shop") == twin.shop
        assert balance("nostro") == -2 * START - self.ticks + twin.nostro()
        book = self.told.book
        assert {name: one.status for name, one in book.payments.by_id.items()} == {
            name: paid.status for name, paid in twin.payments.items()
        }
        assert {name: one.repair.reason for name, one in book.payments.by_id.items() if one.repair} == {
            name: paid.repair for name, paid in twin.payments.items() if paid.repair
        }
        assert all(0 <= one.returned <= one.amount for one in book.payments.by_id.values())

    def teardown(self) -> None:
        prove()


QUICK = settings(
    max_examples=120,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def test_no_path_loses_money_or_spends_it_twice() -> None:
    run_state_machine_as_test(Machine, settings=QUICK)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_no_longer_path_does_either() -> None:
    run_state_machine_as_test(
        Machine, settings=settings(QUICK, max_examples=800, stateful_step_count=80, derandomize=False)
    )
