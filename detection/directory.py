"""Who is who in one book, as detection needs it: accounts, their parties, and when they changed."""

from __future__ import annotations

import msgspec

from detection.facts import AccountFace, ClosedFace, PartyFace, ProfileFace
from detection.flows import Holder


class Known(msgspec.Struct, gc=False):
    """A party. changed_at: book time of its last change of profile, 0 for never.   accounts: that it has."""

    country: str
    changed_at: int = 0
    accounts: list[str] = []


class Accounts(msgspec.Struct):
    """`detection.flows.Directory`, folded from events. An account that was closed is forgotten."""

    holders: dict[str, Holder] = {}
    parties: dict[str, Known] = {}

    def holder(self, account: str) -> Holder | None:
        """See `Directory.holder`."""
        return self.holders.get(account)

    def opened(self, fact: AccountFace) -> None:
        """An account is there."""
        party = self.parties.get(fact.party)
        country, changed_at = ("", 0) if party is None else (party.country, party.changed_at)
        self.holders[fact.account] = Holder(
            party=fact.party,
            product=fact.product,
            kind=fact.kind,
            currency=fact.currency,
            country=country,
            opened_at=fact.at,
            changed_at=changed_at,
            account=fact.account,
        )
        if party is not None:
            party.accounts.append(fact.account)

    def closed(self, fact: ClosedFace) -> None:
        """An account is gone."""
        holder = self.holders.pop(fact.account, None)
        party = None if holder is None else self.parties.get(holder.party)
        if party is not None and fact.account in party.accounts:
            party.accounts.remove(fact.account)

    def registered(self, fact: PartyFace) -> None:
        """A party is known."""
        self.parties[fact.party] = Known(fact.country)

    def changed(self, fact: ProfileFace) -> None:
        """A party's profile is another."""
        party = self.parties.get(fact.party)
        if party is None:
            return
        party.country, party.changed_at = fact.country, fact.at
        for account in party.accounts:
            holder = self.holders[account]
            holder.country, holder.changed_at = fact.country, fact.at
