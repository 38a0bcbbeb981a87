"""Parties: registered, changed, activated, blocked and closed."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from commands.parties import STATUS_CHANGES
from schemas.fields import PartyStatus
from schemas.parties import (
    ChangePartyProfile,
    PartyProfileChanged,
    PartyRegistered,
    PartyRiskRated,
    PartyStatusChanged,
    RatePartyRisk,
    RegisterParty,
)
from schemas.rejections import Reason
from tests.story import (
    Said,
    Word,
    account,
    closed,
    given,
    happened,
    party,
    party_becomes,
    rejected,
    say,
    story,
    then,
    when,
)

PROFILE: dict[str, Any] = {
    "name": "Ada Lovelace",
    "country": "GB",
    "born_on": datetime.date(1815, 12, 10),
    "number": "P-77",
    "segment": "private",
    "branch": "north",
}
OTHER: dict[str, Any] = {
    "name": "Ada King",
    "country": "FR",
    "born_on": datetime.date(1815, 12, 11),
    "number": "P-78",
    "segment": "wealth",
    "branch": "south",
}


def profile(party_id: str, **fields: Any) -> Said:
    return say(ChangePartyProfile, party=party_id, **fields)


def known(party_id: str) -> dict[str, Any]:
    one = story().book.parties[party_id]
    return {name: getattr(one, name) for name in PROFILE}


def test_a_party_is_registered_with_its_profile_and_waits() -> None:
    given()
    when(say(RegisterParty, party="ada", kind="person", **PROFILE))
    then(happened(PartyRegistered, party="ada", kind="person", status="pending", **PROFILE))
    one = story().book.parties["ada"]
    assert (one.kind, one.status, one.open_accounts) == ("person", "pending", 0)
    assert known("ada") == PROFILE


def test_a_business_may_be_registered_as_active() -> None:
    given()
    when(say(RegisterParty, party="acme", kind="business", name="Acme", status="active"))
    then(happened(PartyRegistered, kind="business", status="active", country="", born_on=None, number=""))
    assert story().book.parties["acme"].status == "active"


@pytest.mark.parametrize("field", PROFILE)
def test_only_what_is_given_changes(field: str) -> None:
    given(party("ada", **PROFILE))
    when(profile("ada", **{field: OTHER[field]}))
    changed = {**PROFILE, field: OTHER[field]}
    then(happened(PartyProfileChanged, party="ada", **changed))
    assert known("ada") == changed


def test_all_of_a_profile_can_change_at_once_and_a_text_can_be_emptied() -> None:
    given(party("ada", **PROFILE))
    when(profile("ada", **OTHER))
    then(happened(PartyProfileChanged, **OTHER))
    when(profile("ada", number="", segment="", branch="", country=""))
    then(happened(PartyProfileChanged))
    assert known("ada") == {**OTHER, "number": "", "segment": "", "branch": "", "country": ""}


def test_a_change_to_what_is_already_so_is_none() -> None:
    given(party("ada", **PROFILE))
    when(profile("ada", **PROFILE))
    then(rejected("nothing_to_change"))


@pytest.mark.parametrize("before", STATUS_CHANGES)
@pytest.mark.parametrize("status", STATUS_CHANGES)
def test_a_status_changes_along_its_ways_and_no_others(before: PartyStatus, status: PartyStatus) -> None:
    ways = {
        ("pending", "active"), ("pending", "closed"), ("active", "blocked"), ("active", "closed"),
        ("blocked", "active"), ("blocked", "closed"),
    }  # fmt: skip
    given(party("ada", before))
    when(party_becomes("ada", status))
    if (before, status) in ways:
        then(happened(PartyStatusChanged, party="ada", before=before, status=status, reason="told so"))
        assert story().book.parties["ada"].status == status
    else:
        then(rejected("status_change_not_allowed", status=before, wanted=status))
        assert story().book.parties["ada"].status == before


def test_a_party_is_closed_after_its_accounts() -> None:
    given(party("ada"), account("one", party_id="ada"), account("two", party_id="ada"), closed("one"))
    when(party_becomes("ada", "closed"))
    then(rejected("party_has_accounts", accounts=1))
    when(party_becomes("ada", "blocked"))
    then(happened(PartyStatusChanged))
    when(closed("two"), party_becomes("ada", "closed"))
    then(happened(PartyStatusChanged, before="blocked", status="closed"))


def test_a_party_that_is_blocked_can_be_changed_and_a_closed_one_not() -> None:
    given(party("ada", "blocked"), party("bob", "closed"))
    when(profile("ada", name="Ada King"))
    then(happened(PartyProfileChanged))
    when(profile("bob", name="Bob King"))
    then(rejected("party_not_active", party="bob", status="closed"))


GIVEN: list[Word] = [
    party("gone", "closed"),
    party("ada", name="Ada"),
    account("adas", party_id="ada"),
]


def risk(party_id: str, rating: str) -> Said:
    return say(RatePartyRisk, party=party_id, risk=rating, reason="reviewed")


def test_a_party_is_of_another_risk_from_then_on() -> None:
    given(*GIVEN)
    when(risk("ada", "high"))
    then(happened(PartyRiskRated, before="unrated", risk="high"))
    assert story().book.parties["ada"].risk == "high"


REJECTIONS: list[tuple[Reason, Said]] = [
    # One row a rejection, in the order in which they are checked; each row has the later faults, too.
    ("party_exists", say(RegisterParty, party="ada", kind="person", name="Ada")),
    ("party_not_found", profile("nobody")),
    ("party_not_active", profile("gone")),
    ("nothing_to_change", profile("ada")),
    ("nothing_to_change", profile("ada", name="Ada")),
    ("party_not_found", party_becomes("nobody", "pending")),
    ("status_change_not_allowed", party_becomes("ada", "pending")),
    ("party_has_accounts", party_becomes("ada", "closed")),
    ("party_not_found", risk("nobody", "unrated")),
    ("nothing_to_change", risk("ada", "unrated")),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(*GIVEN)
    when(said)
    then(rejected(reason))
