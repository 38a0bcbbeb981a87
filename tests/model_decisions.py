"""What the naive twin decides: the fields of the event that must follow, or the reason why not.

The reasons are asked in the order of the design; funds, blocks and dates by scans over plain dicts.
"""

from __future__ import annotations

import datetime
from typing import Any

DAY_MS = 86_400_000
TOP = 2**63 - 1
Json = dict[str, Any]


class Decisions:
    """The state that decisions look at, of one book in UTC."""

    at: int
    clock: str
    today: datetime.date
    open_from: datetime.date
    reversible: int
    timers: list[tuple[int, str]]

    def __init__(self) -> None:
        self.parties: dict[str, str] = {}
        self.accounts: dict[str, Json] = {}
        self.moves: list[Json] = []
        self.actors: dict[str, Json] = {"root": {"roles": ["administrator"], "suspended": False}}
        self.persons: set[str] = {"ruth"}
        self.roles: dict[str, Json] = {"administrator": {"*": None}}

    def register_person(self, c: Json) -> Json | str:
        if c["person"] in self.persons:
            return "person_exists"
        self.persons.add(c["person"])
        return {"type": "PersonRegistered"}

    def register_user(self, c: Json) -> Json | str:
        if c["user"] in self.actors:
            return "actor_exists"
        if c["person"] not in self.persons:
            return "person_not_found"
        self.actors[c["user"]] = {"roles": [], "suspended": False}
        return {"type": "UserRegistered"}

    def define_role(self, c: Json) -> Json | str:
        self.roles[c["role"]] = {
            one["command"]: one.get("scope", {}).get("amounts", {}).get("EUR") for one in c["permits"]
        }
        return {"type": "RoleDefined"}

    def grant_role(self, c: Json) -> Json | str:
        actor = self.actors.get(c["subject"])
        if actor is None:
            return "actor_not_found"
        if c["role"] not in self.roles:
            return "role_not_found"
        if c["role"] in actor["roles"]:
            return "role_already_granted"
        actor["roles"].append(c["role"])
        return {"type": "RoleGranted"}

    def revoke_role(self, c: Json) -> Json | str:
        actor = self.actors.get(c["subject"])
        if actor is None:
            return "actor_not_found"
        if c["role"] not in actor["roles"]:
            return "role_not_granted"
        if c["role"] == "administrator":
            return "last_administrator"
        actor["roles"].remove(c["role"])
        return {"type": "RoleRevoked"}

    def suspend_actor(self, c: Json) -> Json | str:
        actor = self.actors.get(c["subject"])
        if actor is None:
            return "actor_not_found"
        if actor["suspended"]:
            return "actor_already_suspended"
        if c["subject"] == "root":
            return "last_administrator"
        actor["suspended"] = True
        return {"type": "ActorSuspended"}

    def reinstate_actor(self, c: Json) -> Json | str:
        actor = self.actors.get(c["subject"])
        if actor is None:
            return "actor_not_found"
        if not actor["suspended"]:
            return "actor_not_suspended"
        actor["suspended"] = False
        return {"type": "ActorReinstated"}

    def register_party(self, c: Json) -> Json | str:
        if c["party"] in self.parties:
            return "party_exists"
        self.parties[c["party"]] = c.get("status", "pending")
        return {"type": "PartyRegistered", "status": c.get("status", "pending")}

    def change_party_status(self, c: Json) -> Json | str:
        before = self.parties.get(c["party"])
        if before is None:
            return "party_not_found"
        ways = ["pending active", "active blocked", "blocked active"]
        ways += [f"{status} closed" for status in ("pending", "active", "blocked")]
        if f"{before} {c['status']}" not in ways:
            return "status_change_not_allowed"
        theirs = [one for one in self.accounts.values() if one["party"] == c["party"] and one["open"]]
        if c["status"] == "closed" and theirs:
            return "party_has_accounts"
        self.parties[c["party"]] = c["status"]
        return {"type": "PartyStatusChanged", "before": before, "status": c["status"]}

    def open_account(self, c: Json) -> Json | str:
        kind, party, overdraft = c.get("kind", "customer"), c.get("party", ""), c.get("overdraft", 0)
        if c["account"] in self.accounts:
            return "account_exists"
        if c["currency"] not in ("EUR", "USD"):
            return "unknown_currency"
        if (kind == "customer") != bool(party):
            return "account_kind_mismatch"
        if kind == "customer" and party not in self.parties:
            return "party_not_found"
        if kind == "customer" and self.parties[party] != "active":
            return "party_not_active"
        if kind != "customer" and overdraft:
            return "overdraft_not_allowed"
        self.accounts[c["account"]] = {
            "kind": kind, "party": party, "currency": c["currency"], "balance": 0, "overdraft": overdraft,
            "open": True, "blocks": {},
        }  # fmt: skip
        return {"type": "AccountOpened", "account": c["account"], "kind": kind, "overdraft": overdraft}

    def usable(self, account_id: str) -> str | None:
        if account_id not in self.accounts:
            return "account_not_found"
        return None if self.accounts[account_id]["open"] else "account_not_open"

    def set_overdraft(self, c: Json) -> Json | str:
        if fault := self.usable(c["account"]):
            return fault
        account = self.accounts[c["account"]]
        if account["kind"] != "customer":
            return "overdraft_not_allowed"
        if account["overdraft"] == c["overdraft"]:
            return "nothing_to_change"
        if account["balance"] + c["overdraft"] < 0:
            return "overdraft_in_use"
        account["overdraft"] = c["overdraft"]
        return {"type": "OverdraftSet", "overdraft": c["overdraft"]}

    def block_account(self, c: Json) -> Json | str:
        if fault := self.usable(c["account"]):
            return fault
        blocks, expires = self.accounts[c["account"]]["blocks"], c.get("expires_at_ms")
        if c["block"] in blocks:
            return "block_exists"
        if expires is not None and expires <= self.at:
            return "expiry_in_past"
        blocks[c["block"]] = c["direction"]
        if expires is not None:
            self.timers.append((expires, f"block\n{c['account']}\n{c['block']}"))
        return {"type": "AccountBlocked", "block": c["block"]}

    def lift_block(self, c: Json) -> Json | str:
        if fault := self.usable(c["account"]):
            return fault
        if c["block"] not in self.accounts[c["account"]]["blocks"]:
            return "block_not_found"
        del self.accounts[c["account"]]["blocks"][c["block"]]
        timer = f"block\n{c['account']}\n{c['block']}"
        self.timers = [one for one in self.timers if one[1] != timer]
        return {"type": "BlockLifted", "expired": False}

    def close_account(self, c: Json) -> Json | str:
        if fault := self.usable(c["account"]):
            return fault
        account = self.accounts[c["account"]]
        if account["blocks"]:
            return "account_blocked"
        if account["balance"]:
            return "account_not_empty"
        account["open"] = False
        return {"type": "AccountClosed"}

    def value_date(self, c: Json) -> str | datetime.date:
        given = c.get("value_date")
        day = datetime.date.fromisoformat(given) if given else self.today
        if (day - self.today).days > 366:
            return "value_date_in_future"
        return "period_not_open" if given and day < self.open_from else day

    def blocked(self, account_id: str, amount: int) -> bool:
        stopped = "debits" if amount < 0 else "credits"
        return any(one in (stopped, "both") for one in self.accounts[account_id]["blocks"].values())

    def legs_refused(self, legs: list[tuple[str, int]]) -> str | None:
        """Why money cannot move like this, leg by leg, then by funds, then by bounds."""
        for account_id, amount in legs:
            account = self.accounts[account_id]
            if not account["open"]:
                return "account_not_open"
            if amount < 0 and account["party"] and self.parties[account["party"]] != "active":
                return "party_not_active"
            if self.blocked(account_id, amount):
                return "account_blocked"
        for account_id in dict.fromkeys(one for one, _ in legs):
            account = self.accounts[account_id]
            net = sum(amount for one, amount in legs if one == account_id)
            if (
                net < 0
                and account["kind"] == "customer"
                and account["balance"] + net + account["overdraft"] < 0
            ):
                return "insufficient_funds"
        after = {one: self.accounts[one]["balance"] for one, _ in legs}
        for account_id, amount in legs:
            after[account_id] += amount
            if abs(after[account_id]) > TOP:
                return "overflow"
        return None

    def transfer(self, c: Json) -> Json | str:
        if c["debit"] == c["credit"]:
            return "same_account"
        for one in (c["debit"], c["credit"]):
            if one not in self.accounts:
                return "account_not_found"
        for one in (c["debit"], c["credit"]):
            if not self.accounts[one]["open"]:
                return "account_not_open"
            if self.accounts[one]["currency"] != c["currency"]:
                return "currency_mismatch"
        day = self.value_date(c)
        legs = [(c["debit"], -c["amount"]), (c["credit"], c["amount"])]
        fault = self.legs_refused(legs)
        if isinstance(day, str) and fault not in ("party_not_active", "account_blocked"):
            return day
        if fault:
            return fault
        return {
            "type": "TransferPosted", "debit": c["debit"], "credit": c["credit"], "amount": c["amount"],
            "booking_date": self.today.isoformat(), "value_date": str(day),
        }  # fmt: skip

    def post_entries(self, c: Json) -> Json | str:
        legs = [(one["account"], one["amount"]) for one in c["legs"]]
        if not 2 <= len(legs) <= 1000:
            return "too_many_legs"
        if any(not amount for _, amount in legs):
            return "zero_amount"
        for one in c["legs"]:
            if fault := self.usable(one["account"]):
                return fault
            if self.accounts[one["account"]]["currency"] != one["currency"]:
                return "currency_mismatch"
        for currency in ("EUR", "USD"):
            if sum(one["amount"] for one in c["legs"] if one["currency"] == currency):
                return "unbalanced"
        day = self.value_date(c)
        if isinstance(day, str):
            return day
        return self.legs_refused(legs) or {"type": "EntriesPosted", "value_date": day.isoformat()}

    def moved(self, seq: int) -> Json | None:
        for move in self.moves:
            if move["seq"] == seq and (self.today - move["day"]).days <= self.reversible:
                return move
        return None

    def reverse_transfer(self, c: Json) -> Json | str:
        move = self.moved(c["transfer"])
        if move is None:
            return "transfer_not_found"
        if move["reversed"] or move["back"]:
            return "already_reversed"
        fault = self.legs_refused([(one, -amount) for one, amount in move["legs"]])
        if fault is None:
            move["reversed"] = True
        return fault or {"type": "TransferReversed", "booking_date": self.today.isoformat()}

    def refund_transfer(self, c: Json) -> Json | str:
        move = self.moved(c["transfer"])
        if move is None or not move["two"]:
            return "transfer_not_found"
        if move["reversed"]:
            return "already_reversed"
        (payer, _), (payee, original) = move["legs"]
        if move["back"] + c["amount"] > original:
            return "refund_exceeds_original"
        fault = self.legs_refused([(payee, -c["amount"]), (payer, c["amount"])])
        if fault is None:
            move["back"] += c["amount"]
        return fault or {"type": "TransferRefunded", "refunded_after": move["back"]}

    def advance_time(self, c: Json) -> Json | str:
        if self.clock == "wall":
            return "clock_not_commanded"
        return "time_not_ahead" if c["to_ms"] < self.at else {"type": "TimeAdvanced", "at": self.at}

    def confirm_clock(self, c: Json) -> Json | str:
        return "nothing_to_confirm"

    def close_period(self, c: Json) -> Json | str:
        day = datetime.date.fromisoformat(c["through"])
        if day < self.open_from or day >= self.today:
            return "period_not_open"
        self.open_from = day + datetime.timedelta(days=1)
        return {"type": "PeriodClosed", "open_from": self.open_from.isoformat()}

    def set_repeat_window(self, c: Json) -> Json | str:
        return {"type": "RepeatWindowSet"}
