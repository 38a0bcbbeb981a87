"""What is decided about parties."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.state import Book
from commands.decision import Decision
from schemas.fields import PartyStatus
from schemas.parties import (
    ChangePartyProfile,
    ChangePartyStatus,
    PartyProfileChanged,
    PartyRegistered,
    PartyRiskRated,
    PartyStatusChanged,
    RatePartyRisk,
    RegisterParty,
)
from schemas.rejections import reject

STATUS_CHANGES: dict[PartyStatus, tuple[PartyStatus, ...]] = {
    "pending": ("active", "closed"),
    "active": ("blocked", "closed"),
    "blocked": ("active", "closed"),
    "closed": (),
}


def register_party(book: Book, command: RegisterParty, at_ms: int) -> Decision:
    """Rejected: party_exists."""
    if command.party in book.parties:
        return reject("party_exists", party=command.party)
    return PartyRegistered(
        party=command.party,
        kind=command.kind,
        name=command.name,
        country=command.country,
        born_on=command.born_on,
        number=command.number,
        segment=command.segment,
        branch=command.branch,
        status=command.status,
    )


def change_party_profile(book: Book, command: ChangePartyProfile, at_ms: int) -> Decision:
    """Rejected, in this order: party_not_found, party_not_active (closed), nothing_to_change."""
    party = book.parties.get(command.party)
    if party is None:
        return reject("party_not_found", party=command.party)
    if party.status == "closed":
        return reject("party_not_active", party=command.party, status=party.status)
    changed = PartyProfileChanged(
        party=command.party,
        name=party.name if command.name is None else command.name,
        country=party.country if command.country is None else command.country,
        born_on=party.born_on if command.born_on is None else command.born_on,
        number=party.number if command.number is None else command.number,
        segment=party.segment if command.segment is None else command.segment,
        branch=party.branch if command.branch is None else command.branch,
    )
    if (changed.name, changed.country, changed.born_on, changed.number, changed.segment, changed.branch) == (
        party.name,
        party.country,
        party.born_on,
        party.number,
        party.segment,
        party.branch,
    ):
        return reject("nothing_to_change")
    return changed


def change_party_status(book: Book, command: ChangePartyStatus, at_ms: int) -> Decision:
    """Rejected, in this order: party_not_found, status_change_not_allowed, party_has_accounts."""
    party = book.parties.get(command.party)
    if party is None:
        return reject("party_not_found", party=command.party)
    if command.status not in STATUS_CHANGES[party.status]:
        return reject("status_change_not_allowed", status=party.status, wanted=command.status)
    if command.status == "closed" and party.open_accounts:
        return reject("party_has_accounts", accounts=party.open_accounts)
    return PartyStatusChanged(
        party=command.party, before=party.status, status=command.status, reason=command.reason
    )


def rate_party_risk(book: Book, command: RatePartyRisk, at_ms: int) -> Decision:
    """Rejected, in this order: party_not_found, nothing_to_change."""
    party = book.parties.get(command.party)
    if party is None:
        return reject("party_not_found", party=command.party)
    if command.risk == party.risk:
        return reject("nothing_to_change")
    return PartyRiskRated(party=command.party, before=party.risk, risk=command.risk, reason=command.reason)


DECIDE: dict[type, Callable[[Book, Any, int], Decision]] = {
    RegisterParty: register_party,
    ChangePartyProfile: change_party_profile,
    ChangePartyStatus: change_party_status,
    RatePartyRisk: rate_party_risk,
}
