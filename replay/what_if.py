"""`what_if`: how a stretch of history would have gone if documents had been other ones. It writes nothing.

The log is folded up to a time; there the drafts are published, and from there on every command is decided
again, at its own time, on the state that the decisions before it left. So the other history goes on by
itself: where a payment is refused in it, the money stays, and what is sent next meets another balance. Three
things a history cannot tell, and what is taken in their place:

- Nobody has approved what nobody was asked to approve. What would have waited counts as such, and is then
  taken as approved at once by everyone it needs, so that the rest stays comparable.
- What refers to an event that is not there in the other history (a reversal of a transfer that was refused,
  an approval of what did not wait) is not comparable: it is counted, and left out.
- An approver has seen other terms. What was approved as recorded is approved on the terms of the other
  history.

The recorded side is not decided again: what it did is read from the log.
"""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec.structs import force_setattr

from book.evolve import evolve
from book.state import Book, Partition
from commands.decide import RELEASE
from engine.log.records import BEFORE_FIRST, Out, Record
from engine.pipeline import Pipeline
from replay.answers import History, stored_commands
from replay.as_of import NotKnown
from replay.drafts import Drafted, Refused, publish_drafts
from replay.effects import Earned, Effects, Events, Example, FeeLine, Refusals, Seen, fees_of, see, status_of
from replay.other_history import Held, Names, Renaming, everybody_says_yes
from schemas.books import ReleaseActivated
from schemas.catalogue import decode_event, encode
from schemas.message import Command, Event

EXAMPLES = 10
MOST_ACCOUNTS = 20
Progress = Callable[[int], None]


class WhatIf(msgspec.Struct, frozen=True):
    """What would have been different.

    commands: decided again.   changed: with another outcome, another fee or other money.
    not_comparable: what refers to something that is not there in the other history.
    other_release: recorded by another release, so that a difference may be the release's.
    would_wait, no_longer_wait: for approval.
    earned: accounts of the bank's own that would stand elsewhere, the largest difference first.
    customers_differ: how many customer accounts would.   customers_difference: all together, by currency.
    first, largest: examples.   refused: drafts that the book would not have taken; then nothing was decided.
    """

    book: str
    from_ms: int
    to_ms: int
    commands: int
    changed: int
    not_comparable: int
    other_release: int
    fees: list[FeeLine]
    refusals: list[Refusals]
    would_wait: int
    no_longer_wait: int
    events: list[Events]
    earned: list[Earned]
    customers_differ: int
    customers_difference: dict[str, int]
    first: list[Example]
    largest: list[Example]
    refused: list[Refused]


def what_if(
    log: History,
    book: str,
    drafts: Sequence[Drafted],
    from_ms: int,
    to_ms: int | None = None,
    *,
    examples: int = EXAMPLES,
    progress: Progress | None = None,
) -> WhatIf:
    """Decide the book's history from `from_ms` through `to_ms` again, with the drafts published at `from_ms`.

    The log must be open as a reader. Raises NotKnown where the book was not there yet.
    """
    again = _Again(log, book, from_ms, to_ms, Effects(examples))
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return again.run(drafts, progress or (lambda commands: None))
    finally:
        if was_enabled:
            gc.enable()


class _Again:
    def __init__(self, log: History, name: str, from_ms: int, to_ms: int | None, effects: Effects) -> None:
        self.log, self.name = log, name
        self.from_ms, self.to_ms = from_ms, to_ms
        self.effects = effects
        self.partition = Partition()
        self.names = Names(lambda: self.book)
        self.held = Held()
        self.admission = Renaming(names=self.names, held=self.held)
        self.pipeline = Pipeline(self.partition, self.admission)
        self.release = 0
        self.other_release = 0
        self.at = from_ms
        self.timers: list[Record] = []
        """What the recorded history's timers have done since its last command."""

    @property
    def book(self) -> Book:
        return self.partition.books[self.name]

    def run(self, drafts: Sequence[Drafted], progress: Progress) -> WhatIf:
        rest = self._fold()
        self.release = self.partition.release
        if self.name not in self.partition.books:
            raise NotKnown(f"The log holds no book {self.name} at that time.")
        self.book.at = max(self.book.at, self.from_ms)
        refused = publish_drafts(self.book, drafts, self.book.at)
        if not refused:
            self._decide(rest, progress)
        return self._result(refused)

    def _fold(self) -> Iterator[Record]:
        """Apply what happened before the time; returns what comes after it."""
        events = self.log.events(BEFORE_FIRST)
        key = self.name.encode()
        for record in events:
            mine = record.key == key
            if not mine and not record.key.startswith(b"~"):
                continue
            event = decode_event(record.value)
            if mine and event.at >= self.from_ms:
                return itertools.chain([record], events)
            evolve(self.partition, event)
        return iter(())

    def _decide(self, rest: Iterator[Record], progress: Progress) -> None:
        commands: Iterator[Record] | None = None
        run, take, admit = self.pipeline.run, self.pipeline.take, self.admission.admit
        for cause, group in itertools.groupby(
            self._mine(rest),
            key=lambda one: (one[0].cause, one[0].seq if one[0].cause < 0 else 0),
        ):
            recorded = list(group)
            first = recorded[0][0]
            if self.to_ms is not None and first.at > self.to_ms:
                break
            self.at = first.at
            if cause[0] < 0:
                self.timers.append(recorded[0][1])
                continue
            if commands is None:
                commands = stored_commands(self.log, self.log.last_command_offset(), first.cause - 1)
            record = next((one for one in commands if one.offset >= first.cause), None)
            if record is None or record.offset != first.cause:
                raise NotKnown(f"Command {first.cause} is not stored; ask replay verify.")
            before = [seen for seen, _ in recorded]
            admit(record)
            if not self.held.comparable:
                self.effects.not_comparable += 1
                self.effects.apart(before, ())
                self.names.pair(before, ())
                continue
            while not run(record):
                pass
            outs, answers = take()
            answer = answers[-1]
            fired = outs[: len(outs) - len(answer)]
            if fired or self.timers:
                self._timers(fired)
            self._outcome(before, [one.value for _, one in recorded], answer, record)
            if self.effects.commands % 10_000 == 0:
                progress(self.effects.commands)
        self._end()

    def _mine(self, rest: Iterator[Record]) -> Iterator[tuple[Seen, Record]]:
        """The book's events, as read."""
        key = self.name.encode()
        for record in rest:
            if record.key == key:
                yield see(record.value), record
            elif b'"ReleaseActivated"' in record.value:
                event = decode_event(record.value)
                if isinstance(event, ReleaseActivated):
                    self.release = event.release

    def _outcome(
        self, before: list[Seen], values: list[bytes], answer: Sequence[bytes], record: Record
    ) -> None:
        """Compare what was recorded with what was decided now."""
        effects = self.effects
        effects.commands += 1
        self.other_release += self.release != RELEASE
        if len(values) == len(answer) and all(map(bytes.__eq__, values, answer)):
            effects.same(before)
            return
        after = [see(value) for value in answer]
        waited = after[0].type == "ApprovalRequested"
        assumed = self._assumed(before, after)
        if assumed:
            after = [one for one in after if one.type != "ApprovalRequested"] + assumed
        self.names.pair(before, after)
        if effects.compared(before, after, waited and bool(assumed)):
            effects.apart(before, after)
            effects.example(self._example(before, after, waited and bool(assumed)))
        else:
            effects.apart(before, after)

    def _assumed(self, before: Sequence[Seen], after: Sequence[Seen]) -> list[Seen]:
        """What happens when everybody says yes to what went through as recorded and waits now."""
        last = after[-1]
        went_through = status_of(before) == "done" and not (
            before[-1].type == "ApprovalGiven" and before[-1].missing
        )
        if not went_through:
            return []
        if last.type == "ApprovalRequested":
            approval = last.seq
        elif last.type == "TermsChanged" or (last.type == "ApprovalGiven" and last.missing):
            approval = last.approval
        else:
            return []
        return [see(self._append(event)) for event in everybody_says_yes(self.book, approval, self.book.at)][
            1:
        ]

    def _append(self, event: Event) -> bytes:
        book = self.book
        for name, value in (("seq", book.seq + 1), ("book", book.id), ("at", book.at)):
            force_setattr(event, name, value)
        evolve(self.partition, event)
        return encode(event)

    def _timers(self, fired: Sequence[Out]) -> None:
        """What timers did on both sides since the last command."""
        recorded, self.timers = self.timers, []
        before = [see(record.value) for record in recorded]
        if [one.value for one in fired] == [one.value for one in recorded]:
            self.effects.same(before)
            return
        after = [see(one.value) for one in fired]
        self.names.pair(before, after)
        self.effects.apart(before, after)

    def _end(self) -> None:
        """The other history goes on as far as the recorded one did."""
        pipeline, book = self.pipeline, self.book
        while not pipeline.fire_due(book, self.at):
            pass
        while pipeline.work(book, self.at):
            pass
        self._timers(pipeline.take()[0])

    def _example(self, before: Sequence[Seen], after: Sequence[Seen], waited: bool) -> Example:
        command = self.held.said
        assert isinstance(command, Command), "what the book has answered is a command"
        was, now = status_of(before), "waits" if waited else status_of(after)
        fees, other_fees = fees_of(before), fees_of(after)
        differing = {
            currency: other_fees.get(currency, 0) - fees.get(currency, 0)
            for currency in {**fees, **other_fees}
            if other_fees.get(currency, 0) != fees.get(currency, 0)
        }
        minor, currency = getattr(command, "amount", 0), getattr(command, "currency", "")
        if differing and was == now:
            currency, minor = max(differing.items(), key=lambda one: abs(one[1]))
        return Example(
            command=command.id,
            type=type(command).__name__,
            actor=command.actor,
            seq=before[0].seq,
            at_ms=before[0].at,
            was=_with_fees(was, fees if differing else {}),
            would_be=_with_fees(now, other_fees if differing else {}),
            minor=abs(minor) if isinstance(minor, int) else 0,
            currency=currency if isinstance(currency, str) else "",
        )

    def _result(self, refused: list[Refused]) -> WhatIf:
        effects, accounts = self.effects, self.book.accounts
        earned: list[Earned] = []
        differ: dict[str, int] = {}
        differing = 0
        for (account, currency), amount in effects.moved.items():
            if not amount:
                continue
            if account in accounts and accounts[account].kind == "customer":
                differing += 1
                differ[currency] = differ.get(currency, 0) + amount
            else:
                earned.append(Earned(account, currency, amount))
        earned.sort(key=lambda one: (-abs(one.difference), one.account, one.currency))
        return WhatIf(
            book=self.name,
            from_ms=self.from_ms,
            to_ms=self.at if self.to_ms is None else self.to_ms,
            commands=effects.commands,
            changed=effects.changed,
            not_comparable=effects.not_comparable,
            other_release=self.other_release,
            fees=effects.fee_lines(),
            refusals=effects.refusals(),
            would_wait=effects.would_wait,
            no_longer_wait=effects.no_longer_waits,
            events=effects.events(),
            earned=earned[:MOST_ACCOUNTS],
            customers_differ=differing,
            customers_difference=dict(sorted(differ.items())),
            first=effects.first,
            largest=effects.largest(),
            refused=refused,
        )


def _with_fees(status: str, fees: dict[str, int]) -> str:
    charged = ", ".join(f"{amount} {currency}" for currency, amount in sorted(fees.items()) if amount)
    return f"{status}, fees {charged}" if charged else status
