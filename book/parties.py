"""What changes a party."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.dates import hour_of
from book.payments import release
from book.state import Book, Party
from schemas.parties import PartyProfileChanged, PartyRegistered, PartyRiskRated, PartyStatusChanged


def party_registered(book: Book, event: PartyRegistered) -> None:
    """The party is known."""
    book.parties[event.party] = Party(
        kind=event.kind,
        status=event.status,
        name=event.name,
        country=event.country,
        born_on=event.born_on,
        number=event.number,
        segment=event.segment,
        branch=event.branch,
        known_hour=hour_of(event.at),
    )


def party_profile_changed(book: Book, event: PartyProfileChanged) -> None:
    """The party's profile is what the event says."""
    party = book.parties[event.party]
    party.name = event.name
    party.country = event.country
    party.born_on = event.born_on
    party.number = event.number
    party.segment = event.segment
    party.branch = event.branch
    party.changed_hour = hour_of(event.at)


def party_status_changed(book: Book, event: PartyStatusChanged) -> None:
    """The party has a new status."""
    book.parties[event.party].status = event.status
    if event.status == "active":
        release(book, "party_not_active", event.party, event.at)


def party_risk_rated(book: Book, event: PartyRiskRated) -> None:
    """The party is of another risk."""
    book.parties[event.party].risk = event.risk


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    PartyRegistered: party_registered,
    PartyProfileChanged: party_profile_changed,
    PartyStatusChanged: party_status_changed,
    PartyRiskRated: party_risk_rated,
}
