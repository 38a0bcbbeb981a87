"""Random commands, retries, forgotten ids, back-dating, timers and a crash at any step, beside a naive twin.

After every step the twin reads what the log has stored and follows it. In the end every command has one
outcome, no seq is missing, postings sum to zero, the state is the fold of the log, the balances the twin's.
"""

from __future__ import annotations

import datetime
import json
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from book.digest import book_digest
from engine import pipeline
from engine.errors import DaybookError
from engine.fold import Folded
from engine.genesis import begin
from engine.log.faults import Crash, Fault
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST, Out, Record
from engine.pipeline import Answer
from engine.worker import Worker
from tests.model import Model
from tests.model_decisions import DAY_MS, Json
from tests.random_commands import HOUR_MS, MINUTE_MS, PARTIES, WINDOW_MS, Pick, a_command
from tests.story import BEGAN_MS, ROOT

BOOKS = {"flow": "commanded", "live": "wall"}
UNSAID: Json = {"timer": "", "cause": -1}
"""What the twin takes for granted where an event does not say it: transfers leave out what is empty."""
CRASHES: list[Fault | str | None] = [None, None, None, *Fault, "deciding", "answering"]


class Machine(RuleBasedStateMachine):
    """A log, an engine that may die anywhere, clients that send again what was not answered, and the twin."""

    def __init__(self) -> None:
        super().__init__()
        self.slice = pipeline.TIMERS_AT_ONCE
        pipeline.TIMERS_AT_ONCE = 2  # so that slices are many
        self.now = BEGAN_MS
        self.log = MemoryLog(clock=lambda: self.now)
        begin(self.log, [ROOT], self.now)
        self.models: dict[str, Model] = {}
        self.unanswered: dict[int, Out] = {}
        self.used: dict[str, list[Json]] = {name: [] for name in BOOKS}
        self.read_commands: dict[int, Record] = {}
        self.read_to = BEFORE_FIRST
        self.position = BEFORE_FIRST
        self.seqs: dict[str, int] = {}
        self.numbered = 0
        self.died = False
        self.worker = self.recruit()

    def teardown(self) -> None:
        pipeline.TIMERS_AT_ONCE = self.slice

    # --- the engine and its clients -------------------------------------------------------------------

    def recruit(self) -> Worker:
        worker = Worker(self.log, answered=self.answered, clock=lambda: self.now, batch=4)
        decide = worker.pipeline.run

        def run(record: Record) -> bool:
            self.step_of("deciding")
            return decide(record)

        worker.pipeline.run = run  # type: ignore[method-assign]
        return worker

    def step_of(self, where: str) -> None:
        if self.death and self.death[0] == where:
            self.death[1] -= 1
            if self.death[1] < 0:
                self.death = None
                raise Crash(where)

    death: list[Any] | None = None

    def answered(self, records: Sequence[Record], answers: Sequence[Answer]) -> None:
        self.step_of("answering")
        for record, answer in zip(records, answers, strict=True):
            assert answer
            self.unanswered.pop(record.offset, None)

    def submit(self, outs: list[Out], *, twice: bool = False) -> None:
        self.log.faults._at_submit = frozenset({self.log.faults.submits} if twice else ())
        offsets = self.log.submit(outs)
        self.unanswered.update(zip(offsets, outs, strict=False))

    def work(self) -> None:
        """Decide what waits. Where the engine dies another takes over, and clients send again."""
        for _ in range(200):
            try:
                if self.worker.step() == 0:
                    break
            except (Crash, DaybookError):
                self.death = None
                self.died = True
                self.log = self.log.reopen(faults=None)
                self.log.faults._next_commits.clear()
                lost = list(self.unanswered.values())
                self.unanswered = {}
                self.worker = self.recruit()
                for start in range(0, len(lost), 3):
                    self.submit(lost[start : start + 3])
        else:
            raise AssertionError("what waits is decided")
        assert not self.unanswered, "every command is answered"
        self.follow()
        self.died = False

    # --- the twin reads the log -----------------------------------------------------------------------

    def follow(self) -> None:
        for record in self.log.commands(self.position, 10**9, 0.0):
            self.read_commands[record.offset] = record
        for record in self.log.events(self.read_to):
            self.read_to = record.offset
            event = UNSAID | json.loads(record.value)
            name = event["book"]
            assert event["seq"] == self.seqs.get(name, 0) + 1, "no seq is missing"
            self.seqs[name] = event["seq"]
            assert record.key == name.encode()
            if event["type"] == "BookOpened":
                self.models[name] = Model(event)
                continue
            if event.get("timer"):  # left out of the plainest events where it is empty
                self.models[name].fire(event, self.latest(name))
                continue
            if event["cause"] < 0:
                continue
            if event["type"] == "PeriodBalances":  # which a closed period has beside it; months_test has it
                assert event["cause"] == self.position
                continue
            assert event["cause"] == self.position + 1, "every command has one outcome, in order"
            self.position = event["cause"]
            cause = self.read_commands[event["cause"]]
            if name in self.models:
                command = json.loads(cause.value)
                assert (event["command"], event["actor"]) == (command["id"], command["actor"])
                assert event["issued_at_ms"] == command["issued_at_ms"]
                self.models[name].apply(command, event, cause.time_ms)
            elif event["type"] == "CommandRejected":
                assert event["reason"] in ("undecodable", "unknown_book", "wrong_partition")

    def latest(self, name: str) -> int:
        """Until when timers may have fired: for the command that comes next, or now."""
        model = self.models[name]
        if model.clock == "wall":
            return self.now
        if (
            self.died
        ):  # a slice of them may have been stored for a command that is lost and will be sent again
            return max(
                int(one["to_ms"] if "to_ms" in one else one["issued_at_ms"]) for one in self.used[name]
            )
        waiting = (record for offset, record in sorted(self.read_commands.items()) if offset > self.position)
        for record in waiting:
            if record.key == name.encode() and record.value.startswith(b'{"type"'):
                return model.moment(json.loads(record.value), record.time_ms)
        raise AssertionError("a commanded book fires for a command")

    # --- what happens ---------------------------------------------------------------------------------

    @initialize()
    def open_books(self) -> None:
        for name, clock in BOOKS.items():
            opening = {
                "type": "OpenBook", "book": name, "name": name, "currency": "EUR", "clock": clock,
                "administrators": [{"person": "ruth", "user": "root"}], "repeat_window_ms": WINDOW_MS,
                "repeat_cap": 100, "reversible_days": 3,
            }  # fmt: skip
            self.submit([self.written(name, opening)])
            self.work()
            first: list[Json] = [
                {"type": "RegisterPerson", "person": "carl", "name": "Carl"},
                {"type": "RegisterUser", "user": "clerk", "person": "carl"},
                {"type": "DefineRole", "role": "teller", "permits": [
                    {"command": "Transfer", "scope": {"amounts": {"EUR": 50}}}, {"command": "LiftBlock"}]},
                {"type": "GrantRole", "subject": "clerk", "role": "teller"},
                *({"type": "RegisterParty", "party": one, "kind": "person", "name": "N", "status": "active"}
                  for one in PARTIES),
                {"type": "OpenAccount", "account": "nostro", "currency": "EUR", "kind": "nostro"},
                {"type": "OpenAccount", "account": "usd", "currency": "USD", "kind": "nostro"},
                *({"type": "OpenAccount", "account": f"a{n}", "currency": "EUR", "party": PARTIES[n % 2]}
                  for n in range(3)),
                *({"type": "Transfer", "debit": "nostro", "credit": f"a{n}", "amount": 100, "currency": "EUR"}
                  for n in range(3)),
            ]  # fmt: skip
            self.submit([self.written(name, one) for one in first])
            self.work()
            assert all(not one["reason"] for one in self.models[name].known), "the beginning is accepted"

    def written(self, name: str, fields: Json, **envelope: Any) -> Out:
        self.numbered += 1
        usual = {"id": f"c{self.numbered}", "book": name, "actor": "root", "issued_at_ms": self.now}
        document = {"type": fields["type"], **fields, **usual, **envelope}
        self.used[name].append(document)
        return Out(name.encode(), json.dumps(document).encode())

    def meant(self, name: str, fields: Json) -> Json:
        """Days and times that are relative to the book, and seqs of what it posted."""
        model = self.models[name]
        fields = dict(fields)
        if fields["type"] in ("ReverseTransfer", "RefundTransfer"):
            seqs = [move["seq"] for move in model.moves[-8:]]
            fields["transfer"] = seqs[fields["transfer"] % len(seqs)] if fields["transfer"] < 27 else 3
        for field in ("value_date", "through"):
            if fields.get(field) is not None:
                fields[field] = (model.today + datetime.timedelta(days=fields[field])).isoformat()
        if fields["type"] == "AdvanceTime":
            fields["to_ms"] += model.at
        if fields.get("expires_at_ms") is not None:
            fields["expires_at_ms"] = model.at + fields["expires_at_ms"] * HOUR_MS // 2
        return {key: value for key, value in fields.items() if value is not None}

    def some(self, name: str, count: int, pick: Pick) -> list[Out]:
        """A few commands, of several actors, issued about now."""
        outs = []
        for _ in range(count):
            actor = pick(["root"] * 12 + ["clerk", "clerk", "mallory"])
            ahead_ms = pick([0] * 12 + [-HOUR_MS, -HOUR_MS, -4 * HOUR_MS, 2 * MINUTE_MS])
            fields = self.meant(name, a_command(pick))
            outs.append(self.written(name, fields, actor=actor, issued_at_ms=self.now + ahead_ms))
        return outs

    @rule(
        name=st.sampled_from(list(BOOKS)),
        data=st.data(),
        count=st.integers(1, 6),
        death=st.sampled_from(CRASHES),
        after=st.integers(0, 3),
        twice=st.integers(0, 5),
    )
    def send(
        self, name: str, data: st.DataObject, count: int, death: Fault | str | None, after: int, twice: int
    ) -> None:
        """A few commands, and the engine may die while it decides them."""
        outs = self.some(name, count, lambda options: data.draw(st.sampled_from(options)))
        self.mortally(death, after)
        self.submit(outs, twice=twice == 0)
        self.work()

    @rule(seed=st.integers(0, 2**32), death=st.sampled_from(CRASHES), after=st.integers(0, 12))
    def storm(self, seed: int, death: Fault | str | None, after: int) -> None:
        """Many commands to both books, between which time goes by."""
        chance = random.Random(seed)
        for _ in range(4):
            outs = [out for name in BOOKS for out in self.some(name, 8, chance.choice)]
            chance.shuffle(outs)
            self.mortally(death, after)
            self.submit(outs, twice=chance.random() < 0.1)
            self.work()
            self.now += chance.choice([0, 1, MINUTE_MS, HOUR_MS, HOUR_MS, 6 * HOUR_MS])

    def mortally(self, death: Fault | str | None, after: int) -> None:
        self.log.faults._next_commits.clear()
        self.death = None
        if isinstance(death, Fault):
            self.log.faults._at_commit = {self.log.faults.commits + after: death}
        elif death is not None:
            self.death = [death, after]

    @rule(name=st.sampled_from(list(BOOKS)), which=st.integers(0, 10**6), change=st.integers(0, 5))
    def send_again(self, name: str, which: int, change: int) -> None:
        """A client repeats itself, or uses an id again for something else."""
        document = dict(self.used[name][which % len(self.used[name])])
        if document["type"] == "OpenBook":
            return
        if change == 0:
            document["issued_at_ms"] = self.now
        elif change == 1:
            document = {**document, "type": "AdvanceTime", "to_ms": self.models[name].at}
            document = {
                key: document[key] for key in ("type", "id", "book", "actor", "issued_at_ms", "to_ms")
            }
        self.used[name].append(document)
        self.submit([Out(name.encode(), json.dumps(document).encode())])
        self.work()

    @rule(ms=st.sampled_from([1, 1, MINUTE_MS, HOUR_MS, HOUR_MS, 5 * HOUR_MS, DAY_MS, 2 * DAY_MS]))
    def wait(self, ms: int) -> None:
        self.now += ms

    @rule(death=st.sampled_from([None, *Fault]))
    def idle(self, death: Fault | None) -> None:
        """Nothing comes in for a moment: what is due in wall books fires."""
        self.mortally(death, 0)
        self.worker._timers_asked = -1.0
        self.work()

    @rule(raw=st.binary(max_size=20), key=st.sampled_from([b"flow", b"live", b"nowhere", b"\xff"]))
    def send_rubbish(self, raw: bytes, key: bytes) -> None:
        self.submit([Out(key, raw)])
        self.work()

    @rule(keep=st.booleans())
    def restart(self, keep: bool) -> None:
        """The engine ends in good order, and another begins."""
        self.log = self.log.reopen(keep_pending=keep)
        self.worker = self.recruit()

    # --- what is always so ----------------------------------------------------------------------------

    @invariant()
    def the_state_is_the_fold_and_the_balances_are_the_twins(self) -> None:
        partition = self.worker.folded.partition
        for name, model in self.models.items():
            book = partition.books[name]
            assert {one: (held.booked, held.is_open) for one, held in book.accounts.items()} == {
                one: (held["balance"], held["open"]) for one, held in model.accounts.items()
            }
            sums: dict[str, int] = {}
            for one in model.accounts.values():
                sums[one["currency"]] = sums.get(one["currency"], 0) + one["balance"]
            assert not any(sums.values())
            assert (book.at, book.business_date, book.open_from) == (model.at, model.today, model.open_from)
            assert sorted((due, timer) for timer, due in book.timers.due.items()) == sorted(model.timers)
            assert len(book.repeats.seen) <= len(model.known)
        folded = Folded()
        folded.apply(self.log.events(BEFORE_FIRST))
        for name, book in folded.partition.books.items():
            assert book_digest(book) == book_digest(partition.books[name])
        assert folded.partition.position == partition.position == self.worker.position
        assert folded.link == self.worker.link


QUICK = settings(
    max_examples=100,
    stateful_step_count=25,
    deadline=None,
    derandomize=False,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


def test_the_engine_does_what_the_naive_twin_does() -> None:
    run_state_machine_as_test(Machine, settings=QUICK)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_the_engine_does_what_the_naive_twin_does_at_length() -> None:
    thorough = settings(
        QUICK, max_examples=1_000, stateful_step_count=50, phases=[Phase.generate, Phase.shrink]
    )
    run_state_machine_as_test(Machine, settings=thorough)
