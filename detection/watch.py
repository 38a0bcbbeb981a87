"""One book under watch: its events in, alerts out. A pure fold, which `detection/detector.py` hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from detection import facts, rule_alerts
from detection.directory import Accounts
from detection.documents import Documents
from detection.flows import Flow, FlowKind, Typology
from detection.movements import Movements
from detection.refusals import REFUSALS
from detection.table import TYPOLOGIES, state_type
from schemas.alerts import Alert
from schemas.risk import RiskAssessed

Step = Callable[[Flow, Accounts], Sequence[Alert]]
NONE: Final[tuple[Alert, ...]] = ()


class Kept(msgspec.Struct):
    """All that is known of a book, as a snapshot holds it. typologies: the state of each, as JSON."""

    accounts: Accounts
    movements: Movements
    documents: Documents
    typologies: dict[str, msgspec.Raw]


class Watch:
    """Follows one book from its first event on.

    Typologies run while a document in force says so. One whose parameters change goes on with what it has
    seen; one that is set off, or is in no document any more, forgets it.
    """

    def __init__(self, kept: Kept | None = None) -> None:
        """kept: from where to go on."""
        self.accounts = Accounts() if kept is None else kept.accounts
        self.movements = Movements() if kept is None else kept.movements
        self.documents = Documents() if kept is None else kept.documents
        self.typologies: dict[str, Typology] = {}
        self._steps: dict[FlowKind, tuple[Step, ...]] = {}
        states = {} if kept is None else kept.typologies
        self._arrange({name: msgspec.json.decode(raw, type=state_type(name)) for name, raw in states.items()})

    def keep(self) -> Kept:
        """What a snapshot holds."""
        states = {name: msgspec.Raw(msgspec.json.encode(one.state)) for name, one in self.typologies.items()}
        return Kept(self.accounts, self.movements, self.documents, states)

    def event(self, fact: Any) -> Iterable[Alert]:
        """What follows from an event, which comes in the book's order."""
        handle = HANDLE.get(type(fact))
        return NONE if handle is None else handle(self, fact)

    def _arrange(self, states: dict[str, Any]) -> None:
        """Make the typologies that are in force, in the order of the table."""
        sets = self.documents.sets()
        self.typologies = {
            name: made(sets[name][1], sets[name][0], states.get(name))
            for name, made in TYPOLOGIES.items()
            if name in sets
        }
        kinds = sorted({kind for one in self.typologies.values() for kind in one.kinds})
        self._steps = {
            kind: tuple(one.flow for one in self.typologies.values() if kind in one.kinds) for kind in kinds
        }

    def flow(self, flow: Flow) -> Iterable[Alert]:
        """What a flow completes."""
        accounts = self.accounts
        found: list[Alert] | tuple[Alert, ...] = NONE
        if flow.source_party != flow.target_party or not flow.source_party:
            for step in self._steps.get(flow.kind, ()):
                made = step(flow, accounts)
                if made:
                    found = [*found, *made]
        holders = accounts.holders
        if (holder := holders.get(flow.source)) is not None:
            holder.last_at = flow.at
        if (holder := holders.get(flow.target)) is not None:
            holder.last_at = flow.at
        return found

    def taken_back(self, flow: Flow | None) -> Iterable[Alert]:
        """A flow that counts no more."""
        if flow is not None and (flow.source_party != flow.target_party or not flow.source_party):
            for one in self.typologies.values():
                if flow.kind in one.kinds:
                    one.taken_back(flow)
        return NONE

    def rearranged(self, changed: bool) -> Iterable[Alert]:
        """The documents have changed."""
        if changed:
            self._arrange({name: one.state for name, one in self.typologies.items()})
        return NONE

    def began(self, fact: facts.OpenedFace) -> Iterable[Alert]:
        """The book's first event."""
        self.movements.time_zone = fact.time_zone
        self.movements.day = fact.business_date.toordinal()
        return NONE

    def rolled(self, fact: facts.DayFace) -> Iterable[Alert]:
        """A business day began."""
        self.movements.day = fact.business_date.toordinal()
        for one in self.typologies.values():
            one.new_day(fact.at)
        return NONE


def _noted(change: Callable[[Watch, Any], None]) -> Callable[[Watch, Any], Iterable[Alert]]:
    """For what only changes what is known."""

    def note(watch: Watch, fact: Any) -> Iterable[Alert]:
        change(watch, fact)
        return NONE

    return note


HANDLE: Final[dict[type, Callable[[Watch, Any], Iterable[Alert]]]] = {
    facts.TransferFace: lambda watch, fact: watch.flow(watch.movements.transfer(fact, watch.accounts)),
    facts.ReversedFace: lambda watch, fact: watch.taken_back(watch.movements.reversed(fact, watch.accounts)),
    facts.SubmittedFace: _noted(lambda watch, fact: watch.movements.submitted(fact)),
    facts.DispatchedFace: lambda watch, fact: watch.flow(watch.movements.dispatched(fact, watch.accounts)),
    facts.CancelledFace: _noted(lambda watch, fact: watch.movements.cancelled(fact)),
    facts.DeclinedFace: _noted(lambda watch, fact: watch.movements.cancelled(fact)),
    facts.SettledFace: _noted(lambda watch, fact: watch.movements.settled(fact)),
    facts.FailedFace: lambda watch, fact: watch.taken_back(watch.movements.failed(fact, watch.accounts)),
    facts.ReturnedFace: lambda watch, fact: watch.taken_back(watch.movements.returned(fact, watch.accounts)),
    facts.CreditedFace: lambda watch, fact: watch.flow(watch.movements.credited(fact, watch.accounts)),
    facts.ParkedFace: _noted(lambda watch, fact: watch.movements.parked_in(fact)),
    facts.ResolvedFace: lambda watch, fact: watch.flow(watch.movements.resolved(fact, watch.accounts)),
    facts.SentBackFace: _noted(lambda watch, fact: watch.movements.sent_back(fact)),
    facts.CrossSentFace: _noted(lambda watch, fact: watch.movements.crossing(fact)),
    facts.CrossDoneFace: lambda watch, fact: watch.flow(watch.movements.crossed(fact, watch.accounts)),
    facts.CrossReleasedFace: _noted(lambda watch, fact: watch.movements.not_crossed(fact)),
    facts.CrossReceivedFace: lambda watch, fact: watch.flow(watch.movements.received(fact, watch.accounts)),
    facts.ExchangedFace: lambda watch, fact: watch.flow(watch.movements.exchange(fact, watch.accounts)),
    facts.OpenedFace: lambda watch, fact: watch.began(fact),
    facts.DayFace: lambda watch, fact: watch.rolled(fact),
    facts.AccountFace: _noted(lambda watch, fact: watch.accounts.opened(fact)),
    facts.ClosedFace: _noted(lambda watch, fact: watch.accounts.closed(fact)),
    facts.PartyFace: _noted(lambda watch, fact: watch.accounts.registered(fact)),
    facts.ProfileFace: _noted(lambda watch, fact: watch.accounts.changed(fact)),
    facts.PublishedFace: lambda watch, fact: watch.rearranged(watch.documents.published(fact)),
    facts.EffectFace: lambda watch, fact: watch.rearranged(watch.documents.took_effect(fact)),
    RiskAssessed: lambda watch, fact: rule_alerts.of_assessed(fact, watch.movements.day),
    **dict.fromkeys(REFUSALS.values(), lambda watch, fact: rule_alerts.of_refused(fact, watch.movements.day)),
}
"""What each fact does. A type that is not here does nothing."""
