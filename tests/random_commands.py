"""Random commands that are about the same few accounts, parties and actors, so that they meet.

Days and times in them are relative to the book, and transfers are named by how long ago they were:
`Machine.meant` makes them absolute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.model_decisions import DAY_MS, Json

HOUR_MS, MINUTE_MS = 3_600_000, 60_000
WINDOW_MS = 2 * HOUR_MS
ACCOUNTS = ["a0", "a1", "a2", "a3", "usd", "fees", "nostro"]
PARTIES = ["p0", "p1"]
MONEY = [1, 2, 5, 10, 20, 50, 51, 60, 100] * 2 + [2**62, 2**63 - 1]

Pick = Callable[[Sequence[Any]], Any]
"""Chooses one of several: by Hypothesis, which can shrink the case, or by a seeded chance, which is quick."""


def a_move(pick: Pick) -> Json:
    code = pick(["EUR"] * 8 + ["USD", "XXX"])
    days = pick([None] * 6 + [0, -1, -5, -40, 400])
    of = pick(range(30))
    match pick(["Transfer"] * 5 + ["PostEntries"] * 2 + ["ReverseTransfer", "RefundTransfer"]):
        case "Transfer":
            fields = {
                "debit": pick(ACCOUNTS),
                "credit": pick(ACCOUNTS),
                "amount": pick(MONEY),
                "currency": code,
            }
            return {"type": "Transfer", **fields, "value_date": days}
        case "PostEntries":
            legs = [
                (pick(ACCOUNTS[:4]), pick([-20, -5, -1, 1, 5, 20] * 3 + [0]))
                for _ in range(pick([1, 2, 2, 3]))
            ]
            if pick([True, True, False]):
                legs.append(("nostro", -sum(amount for _, amount in legs)))
            parts = [{"account": one, "amount": amount, "currency": code} for one, amount in legs]
            return {"type": "PostEntries", "legs": parts, "value_date": days}
        case "ReverseTransfer":
            return {"type": "ReverseTransfer", "transfer": of, "reason": "r"}
        case _:
            return {"type": "RefundTransfer", "transfer": of, "amount": pick(MONEY), "reason": "r"}


def a_change(pick: Pick) -> Json:
    party, account, block, why = pick(PARTIES), pick(ACCOUNTS), pick(["b0", "b1"]), {"reason": "r"}
    kinds = [
        "RegisterParty",
        "ChangePartyStatus",
        "ChangePartyStatus",
        "OpenAccount",
        "OpenAccount",
        "SetOverdraft",
    ]
    match pick([*kinds, "BlockAccount", "BlockAccount", "LiftBlock", "LiftBlock", "CloseAccount"]):
        case "RegisterParty":
            status = pick(["pending", "active", "active"])
            return {"type": "RegisterParty", "party": party, "kind": "person", "name": "N", "status": status}
        case "ChangePartyStatus":
            status = pick(["active"] * 6 + ["blocked", "closed"])
            return {"type": "ChangePartyStatus", "party": party, "status": status, **why}
        case "OpenAccount":
            kind = pick(["customer", "customer", "nostro", "income"])
            owner = pick([party] * 8 + ["", "nobody"] if kind == "customer" else ["", "", "", party])
            fields = {"kind": kind, "party": owner, "overdraft": pick([0, 0, 0, 50])}
            return {
                "type": "OpenAccount",
                "account": account,
                "currency": pick(["EUR", "EUR", "USD", "XXX"]),
                **fields,
            }
        case "SetOverdraft":
            return {"type": "SetOverdraft", "account": account, "overdraft": pick([0, 50, 100])}
        case "BlockAccount":
            fields = {
                "block": block,
                "direction": pick(["debits", "credits", "both"]),
                "authority": "x",
                **why,
            }
            return {
                "type": "BlockAccount",
                "account": account,
                "expires_at_ms": pick([None, -1, *range(9)]),
                **fields,
            }
        case "LiftBlock":
            return {"type": "LiftBlock", "account": account, "block": block, **why}
        case _:
            return {"type": "CloseAccount", "account": account, **why}


def a_rule(pick: Pick) -> Json:
    subject, why = pick(["clerk"] * 4 + ["root", "nobody"]), {"reason": "r"}
    kinds = ["AdvanceTime", "ClosePeriod", "SetRepeatWindow", "ConfirmClock", "GrantRole", "RevokeRole"]
    match pick([*kinds, "GrantRole", "SuspendActor", "ReinstateActor", "ReinstateActor"]):
        case "AdvanceTime":
            return {
                "type": "AdvanceTime",
                "to_ms": pick([-1, 0, 1, HOUR_MS, DAY_MS, 3 * DAY_MS, 367 * DAY_MS]),
            }
        case "ClosePeriod":
            return {"type": "ClosePeriod", "through": pick([-20, -8, -3, -1, 0])}
        case "SetRepeatWindow":
            window = pick([MINUTE_MS, WINDOW_MS, 2 * WINDOW_MS])
            cap = pick([30, 60] + [400] * 6)
            return {"type": "SetRepeatWindow", "repeat_window_ms": window, "repeat_cap": cap}
        case "ConfirmClock":
            return {"type": "ConfirmClock", **why}
        case "GrantRole":
            return {"type": "GrantRole", "subject": subject, "role": pick(["teller", "teller", "none"])}
        case "RevokeRole":
            return {"type": "RevokeRole", "subject": subject, "role": pick(["teller", "administrator"])}
        case kind:
            return {"type": kind, "subject": subject, **why}


def a_command(pick: Pick) -> Json:
    fields: Json = pick([a_move] * 6 + [a_change] * 4 + [a_rule])(pick)
    return fields
