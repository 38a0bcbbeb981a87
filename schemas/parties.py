"""Parties: the persons and businesses that the bank deals with."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta
from pydantic import StringConstraints

from schemas.fields import (
    END,
    Label,
    NewId,
    PartyId,
    PartyKind,
    PartyRisk,
    PartyStatus,
    Personal,
    PersonalText,
    Text,
)
from schemas.message import Command, Date, Event

COUNTRY = "^([A-Z]{2})?$"
Country = Annotated[str, Meta(pattern=COUNTRY + END), StringConstraints(pattern=COUNTRY)]
"""ISO 3166-1 alpha-2, or empty."""


class RegisterParty(Command, tag="RegisterParty"):
    """Register a person or business. Without `status` it waits as `pending` until it is made active.

    born_on: date of birth, or of foundation.   number: of an identity document or in a register.
    """

    party: NewId
    kind: PartyKind
    name: PersonalText
    country: Country = ""
    born_on: Annotated[Date, Personal] | None = None
    number: PersonalText = ""
    segment: Label = ""
    branch: Label = ""
    status: Literal["pending", "active"] = "pending"


class ChangePartyProfile(Command, tag="ChangePartyProfile"):
    """Change what is known of a party. Only the fields given change."""

    party: PartyId
    name: PersonalText | None = None
    country: Country | None = None
    born_on: Annotated[Date, Personal] | None = None
    number: PersonalText | None = None
    segment: Label | None = None
    branch: Label | None = None


class ChangePartyStatus(Command, tag="ChangePartyStatus"):
    """Make a party active, block it, or close it for good. A closed party stays closed."""

    party: PartyId
    status: PartyStatus
    reason: Text


class RatePartyRisk(Command, tag="RatePartyRisk"):
    """Say how much risk the bank sees in a party; approval policies ask for it."""

    party: PartyId
    risk: PartyRisk
    reason: Text


class PartyRegistered(Event, tag="PartyRegistered"):
    """A party is known."""

    party: str
    kind: PartyKind
    name: PersonalText
    country: str
    born_on: Annotated[Date, Personal] | None
    number: PersonalText
    segment: str
    branch: str
    status: PartyStatus


class PartyProfileChanged(Event, tag="PartyProfileChanged"):
    """The party's whole profile as it is from here on."""

    party: str
    name: PersonalText
    country: str
    born_on: Annotated[Date, Personal] | None
    number: PersonalText
    segment: str
    branch: str


class PartyStatusChanged(Event, tag="PartyStatusChanged"):
    """The party's status changed."""

    party: str
    before: PartyStatus
    status: PartyStatus
    reason: str


class PartyRiskRated(Event, tag="PartyRiskRated"):
    """The party's risk is another."""

    party: str
    before: PartyRisk
    risk: PartyRisk
    reason: str


COMMANDS = (RegisterParty, ChangePartyProfile, ChangePartyStatus, RatePartyRisk)
EVENTS = (PartyRegistered, PartyProfileChanged, PartyStatusChanged, PartyRiskRated)
