"""`what_if`: how a stretch of history would have gone if documents had been other ones. It writes nothing.

The log is folded up to a time; there the drafts are published, and from there on every command is decided
again, at its own time, on the state that the decisions before it left. So the other history goes on by
itself: where a payment is refused in it, the money stays, and what is sent next meets another balance. Four
things a history cannot tell, and what is taken in their place:

- Nobody has approved what nobody was asked to approve. What would have waited counts as such, and is then
  taken as approved at once by everyone it needs, so that the rest stays comparable.
- What refers to an event that is not there in the other history (a reversal of a transfer that was refused,
  an approval of what did not wait) is not comparable: it is counted, and left out.
- An approver has seen other terms. What was approved as recorded is approved on the terms of the other
  history.
- Nobody has looked at what nobody was asked to look at. A payment that would have waited for review counts as
  such, and is then taken as looked at at once: declined where a case has found it to be bad, else released.

What rules count, they count from the book's beginning: a draft's features are as warm as the log is long. Of
rules that are in force besides, a feature that the draft asks for too may have seen more than it had then.

The recorded side is not decided again: what it did is read from the log.
"""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable, Iterator, Sequence

from book.evolve import evolve
from book.features.keeping import keep_also
from book.state import Book, Partition
from commands.decide import RELEASE
from engine.log.records import BEFORE_FIRST, Record
from replay.answers import History, stored_commands
from replay.as_of import NotKnown
from replay.drafts import Drafted, Refused, publish_drafts, tried
from replay.effects import Effects, Seen, alike, see, seen_of, status_of
from replay.labels import read_labels
from replay.other_history import Held, Names, Renaming, everybody_says_yes
from replay.other_reviews import (
    ABOUT_RISK,
    capacity_said,
    features_wanted,
    in_review,
    somebody_looks,
    without_notes,
)
from replay.risk_effects import RiskEffects
from replay.risk_seen import SeenRisk, risk_seen_of, see_risk
from replay.unwritten import Unwritten, happens
from replay.what_if_result import WhatIf, about, example_of, stands
from schemas.books import ReleaseActivated
from schemas.catalogue import decode_event
from schemas.message import Event
from schemas.reviews import ReviewBegan

EXAMPLES = 10
Progress = Callable[[int], None]


def what_if(
    log: History,
    book: str,
    drafts: Sequence[Drafted],
    from_ms: int,
    to_ms: int | None = None,
    *,
    examples: int = EXAMPLES,
    capacity: int | None = None,
    progress: Progress | None = None,
) -> WhatIf:
    """Decide the book's history from `from_ms` through `to_ms` again, with the drafts published at `from_ms`.

    capacity: how many reviews a day the team can do; what the drafts say if not given.
    The log must be open as a reader. Raises NotKnown where the book was not there yet.
    """
    again = _Again(log, book, from_ms, to_ms, Effects(examples), drafts, capacity)
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return again.run(progress or (lambda commands: None))
    finally:
        if was_enabled:
            gc.enable()


class _Again:
    def __init__(
        self,
        log: History,
        name: str,
        from_ms: int,
        to_ms: int | None,
        effects: Effects,
        drafts: Sequence[Drafted],
        capacity: int | None,
    ) -> None:
        self.log, self.name = log, name
        self.from_ms, self.to_ms = from_ms, to_ms
        self.effects, self.drafts = effects, drafts
        about_risk = any(one.kind in ABOUT_RISK for one in drafts)
        self.risk = RiskEffects(read_labels(log, name)) if about_risk else None
        self.wanted = features_wanted(drafts)
        self.capacity = capacity if capacity is not None else capacity_said(drafts)
        self.see: Callable[[bytes], Seen] = see if self.risk is None else see_risk
        self.seq = 0
        self.partition = Partition()
        self.names = Names(lambda: self.book)
        self.held = Held()
        self.admission = Renaming(names=self.names, held=self.held)
        self.pipeline = Unwritten(self.partition, self.admission, log.place)
        self.looked: set[str] = set()
        """Payments that were looked at, as they were not as recorded, in the outcome that is compared."""
        self.release = 0
        self.other_release = 0
        self.at = from_ms
        self.commands: Iterator[Record] | None = None
        self.timers: list[Seen] = []
        """What the recorded history's timers have done since its last command."""

    @property
    def book(self) -> Book:
        return self.partition.books[self.name]

    def run(self, progress: Progress) -> WhatIf:
        rest = self._fold()
        self.release = self.partition.release
        if self.name not in self.partition.books:
            raise NotKnown(f"The log holds no book {self.name} at that time.")
        self.book.at = max(self.book.at, self.from_ms)
        refused = publish_drafts(self.book, self.drafts, self.book.at)
        if self.risk is not None:
            self.pipeline.follows = self._looked_at_after_timer
        if rest is not None and not refused:
            self._decide(rest, progress)
        return self._result(refused)

    def _fold(self) -> Iterator[Record] | None:
        """Apply what happened before the time; returns what comes after it, None where that is nothing: a
        time far ahead would otherwise have its timers fire until then, day by day.
        """
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
            if self.wanted and self.name in self.partition.books:
                keep_also(self.book, self.wanted)
                self.wanted = ()
        return None

    def _decide(self, rest: Iterator[Record], progress: Progress) -> None:
        """Outcome by outcome, in the order of the log."""
        key, cause = self.name.encode(), BEFORE_FIRST
        before: list[Seen] = []
        for record in rest:
            if record.key != key:
                self._elsewhere(record)
                continue
            seen = self.see(record.value)
            if before and seen.cause == cause:
                before.append(seen)
                self.seq = seen.seq
                continue
            if before:
                self._outcome(cause, before)
                before = []
                if self.effects.commands % 10_000 == 0:
                    progress(self.effects.commands)
            if self.to_ms is not None and seen.at > self.to_ms:
                break
            self.at, self.seq = seen.at, seen.seq
            if seen.cause < 0:
                self.timers.append(seen)
            else:
                cause, before = seen.cause, [seen]
        if before:
            self._outcome(cause, before)
        self._end()

    def _elsewhere(self, record: Record) -> None:
        """Another book's event; the system book's may say that another release decides from here on."""
        if b'"ReleaseActivated"' in record.value:
            event = decode_event(record.value)
            if isinstance(event, ReleaseActivated):
                self.release = event.release

    def _stored(self, cause: int) -> Record:
        """The command that was answered."""
        if self.commands is None:
            self.commands = stored_commands(self.log, self.log.last_command_offset(), cause - 1)
        for record in self.commands:
            if record.offset == cause:
                return record
            if record.offset > cause:
                break
        raise NotKnown(f"Command {cause} is not stored.", "Ask `daybook replay verify` what is missing.")

    def _outcome(self, cause: int, before: list[Seen]) -> None:
        """Decide the command again, and compare with what was recorded."""
        record = self._stored(cause)
        effects, pipeline, names = self.effects, self.pipeline, self.names
        if names.absent or self.risk is not None:
            said = self.admission.admit(record, self.log.place)
            if not self.held.comparable or not in_review(self.book, said):
                effects.not_comparable += 1
                effects.apart(before, ())
                names.pair(before, ())
                return
        while not pipeline.run(record):
            pass
        events, many = pipeline.taken()
        if self.timers or len(events) > many:
            self._timers(events[: len(events) - many])
        effects.commands += 1
        if self.release != RELEASE:
            self.other_release += 1
        after = self._seen(events[len(events) - many :])
        assumed = self._assumed(before, after)
        waited = bool(assumed) and after[0].type == "ApprovalRequested"
        if assumed:
            after = [one for one in after if one.type != "ApprovalRequested"] + assumed
        if self.risk is not None:
            self.risk.take(self.book, before, after)
            looked_at = self._looked_at(before, after)
            waited = waited or len(looked_at) > len(after)
            before, after = without_notes(before), without_notes(looked_at, self.looked)
            self.looked.clear()
        self._compare(before, after, waited)

    def _seen(self, events: Sequence[Event]) -> list[Seen]:
        read = seen_of if self.risk is None else risk_seen_of
        return [read(event) for event in events]

    def _looked_at(self, before: Sequence[Seen], after: Sequence[Seen]) -> list[Seen]:
        """The outcome, and what happens when payments that wait for review in it are looked at."""
        outcome: list[Seen] = []
        for one in after:
            outcome.append(one)
            if one.type == "ReviewBegan" and isinstance(one, SeenRisk):
                outcome += self._seen(self._looked(before, one.payment))
        return outcome

    def _looked_at_after_timer(self, fired: Sequence[Event]) -> list[Event]:
        """The same of what a timer did: at once, since the next one may decline it."""
        began = [one.payment for one in fired if isinstance(one, ReviewBegan)]
        return [event for payment in began for event in self._looked(self.timers, payment)]

    def _looked(self, before: Sequence[Seen], payment: str) -> list[Event]:
        """What happens when a payment in review is looked at; nothing where it was in it as recorded."""
        assert self.risk is not None, "payments wait for review where risk is asked about"
        began = (one for one in before if one.type == "ReviewBegan" and isinstance(one, SeenRisk))
        if any(one.payment == payment for one in began):
            return []
        self.looked.add(payment)
        looked = somebody_looks(self.book, payment, self.book.at, bad=self.risk.is_bad(payment))
        return happens(self.partition, self.book, looked)

    def _compare(self, before: list[Seen], after: list[Seen], waited: bool) -> None:
        effects = self.effects
        self.names.pair(before, after)
        if not waited and len(before) == len(after) and all(map(alike, before, after)):
            effects.same(before)
            return
        effects.apart(before, after)
        effects.changes(before, after, waited)
        minor, currency = about(self.held.said, before, after)
        if effects.wants(minor):
            effects.example(example_of(self.held.said, before, after, waited, minor, currency))

    def _assumed(self, before: Sequence[Seen], after: Sequence[Seen]) -> list[Seen]:
        """What happens when everybody says yes to what went through as recorded and waits now."""
        last = after[-1]
        went_through = (
            status_of(before) == "done"
            and before[-1].type != "TermsChanged"  # by which it waits again
            and not (before[-1].type == "ApprovalGiven" and before[-1].missing)
        )
        if not went_through:
            return []
        if last.type == "ApprovalRequested":
            approval = last.seq
        elif last.type == "TermsChanged" or (last.type == "ApprovalGiven" and last.missing):
            approval = last.approval
        else:
            return []
        said = happens(self.partition, self.book, everybody_says_yes(self.book, approval, self.book.at))
        return self._seen(said)[1:]

    def _timers(self, fired: Sequence[Event]) -> None:
        """What timers did on both sides since the last command."""
        before, self.timers = self.timers, []
        after = self._seen(fired)
        if self.risk is not None:
            self.risk.take(self.book, before, after)
            before, after = without_notes(before), without_notes(after, self.looked)
            self.looked.clear()
        self.names.pair(before, after)
        if len(before) == len(after) and all(map(alike, before, after)):
            self.effects.same(before)
        else:
            self.effects.apart(before, after)

    def _end(self) -> None:
        """The other history goes on as far as the recorded one did."""
        pipeline, book = self.pipeline, self.book
        while not pipeline.fire_due(book, self.at):
            pass
        while pipeline.work(book, self.at):
            pass
        self._timers(pipeline.taken()[0])

    def _result(self, refused: list[Refused]) -> WhatIf:
        effects = self.effects
        earned, differing, differ = stands(effects, self.book.accounts)
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
            earned=earned,
            customers_differ=differing,
            customers_difference=differ,
            first=effects.first,
            largest=effects.largest(),
            refused=refused,
            drafts=tried(self.book, self.drafts),
            through_seq=self.seq,
            risk=None if self.risk is None or refused else self.risk.result(self.capacity),
        )
