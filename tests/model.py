"""The naive twin of a book: plain dicts and list scans, from the design, sharing no code with `book/`.

It reads the log as an outside auditor would: stored commands and the events that followed, as JSON. It judges
each by rules as plain as they can be (`tests/model_decisions.py`); where the design leaves room (when exactly
an id is forgotten) it takes the answer that was given and checks that it is among those allowed.
"""

from __future__ import annotations

import datetime
import re

from tests.model_decisions import DAY_MS, Decisions, Json

MINUTE_MS = 60_000
LINES = {
    "nostro": "1000", "inter_book": "1100", "fx_position": "1200", "accrued": "1300", "customer": "2000",
    "suspense": "2900", "equity": "3000", "income": "4000", "expense": "5000",
}  # fmt: skip
"""Where accounts are kept that name no line."""


def day_of(at_ms: int) -> datetime.date:
    return datetime.date(1970, 1, 1) + datetime.timedelta(days=at_ms // DAY_MS)


class Model(Decisions):
    """One book in UTC. `apply` takes a stored command and its outcome, `fire` a timer's event."""

    def __init__(self, opened: Json) -> None:
        super().__init__()
        self.clock: str = opened["clock"]
        self.at: int = opened["at"]
        self.confirmed = self.at
        self.window: int = opened["repeat_window_ms"]
        self.cap: int = opened["repeat_cap"]
        self.floor = self.at - self.window
        self.today = day_of(self.at)
        self.open_from = self.today.replace(day=1)
        self.reversible: int = opened["reversible_days"]
        self.timers = [((self.at // DAY_MS + 1) * DAY_MS, "business_date")]
        self.known: list[Json] = []
        self.ended: list[Json] = []

    def month_is_over(self) -> None:
        """What every line holds is kept until the book has added it up. No value date is ever ahead here."""
        self.ended.append(
            {
                "day": self.today,
                "lines": self.lines(),
                "late": {},
                "added": False,
                "accounts": len(self.accounts),
                "due": self.at + 25,
            }
        )

    def lines(self) -> dict[tuple[str, str], int]:
        lines: dict[tuple[str, str], int] = {}
        for one in self.accounts.values():
            if one["balance"]:
                key = (LINES[one["kind"]], one["currency"])
                lines[key] = lines.get(key, 0) + one["balance"]
        return lines

    def late_for_months(self, event: Json) -> None:
        """What is booked with a value date in a month that is over counts in it."""
        for month in self.ended:
            if event.get("value_date", self.today.isoformat()) <= month["day"].isoformat():
                for one in event["postings"]:
                    key = (LINES[self.accounts[one["account"]]["kind"]], one["currency"])
                    month["late"][key] = month["late"].get(key, 0) + one["amount"]

    def end_of_day(self, event: Json, latest_ms: int) -> None:
        """A month's last day is all the work that there is: one slice, then one that is empty."""
        month = self.ended[0]
        assert event["business_date"] == month["day"].isoformat()
        assert max(self.at, month["due"]) <= event["at"] <= latest_ms
        self.at = event["at"]
        told = {(ledger, currency): amount for ledger, currency, amount in event.get("lines", ()) if amount}
        if event["type"] == "ClosingBalancesAdded":
            assert told == month["lines"]
            assert (event["first"], event["last"]) == (0, month["accounts"])
        elif event["type"] == "MonthEnded":
            for key, amount in month["late"].items():
                month["lines"][key] = month["lines"].get(key, 0) + amount
            assert told == {key: amount for key, amount in month["lines"].items() if amount}
            month["added"] = True
        elif event["type"] == "EndOfDayAdvanced":
            assert month["added"]
            assert event["next_ms"] == self.at + 25
            month["due"] = event["next_ms"]
        else:
            assert event["type"] == "DayFinished"
            del self.ended[0]
            assert event["next_ms"] == (self.at + 25 if self.ended else None)
            for other in self.ended[:1]:
                other["due"] = self.at + 25

    # --- time -----------------------------------------------------------------------------------------

    def fire(self, event: Json, latest_ms: int) -> None:
        """A timer fired: it must be the next one, and due. End-of-day work has its own time."""
        if event["timer"] == "end_of_day":
            self.end_of_day(event, latest_ms)
            self.age()
            return
        due, timer = min(self.timers)
        assert event["timer"] == timer
        assert due <= latest_ms
        assert event["at"] == max(due, self.at)
        assert event["cause"] == -1
        self.at = event["at"]
        self.timers.remove((due, timer))
        if timer == "business_date":
            if (self.today + datetime.timedelta(days=1)).day == 1 and self.accounts:
                self.month_is_over()
            self.today += datetime.timedelta(days=1)
            assert event["type"] == "BusinessDateRolled"
            assert event["business_date"] == self.today.isoformat()
            self.timers.append((due + DAY_MS, timer))
        else:
            _, account, block = timer.split("\n")
            assert (event["type"], event["account"], event["block"]) == ("BlockLifted", account, block)
            assert event["expired"]
            del self.accounts[account]["blocks"][block]
        self.age()

    def moment(self, command: Json, time_ms: int) -> int:
        """Until when timers fire before the command."""
        if self.clock == "wall":
            return max(self.at, time_ms) if not self.jump(time_ms) else self.at
        asked = command["to_ms"] if command["type"] == "AdvanceTime" else command["issued_at_ms"]
        farthest = 366 * DAY_MS if self.may_advance(command["actor"]) else 8 * DAY_MS
        if asked > self.at and self.may(command) and asked - self.at <= farthest:
            return int(asked)
        return self.at

    def jump(self, time_ms: int) -> int:
        jump = time_ms - max(self.at, self.confirmed)
        return jump if self.clock == "wall" and jump > 25 * 3_600_000 else 0

    # --- one command ----------------------------------------------------------------------------------

    def apply(self, command: Json, event: Json, time_ms: int) -> None:
        """The event must be what the command gets now."""
        self._apply(command, event, time_ms)
        self.age()

    def _apply(self, command: Json, event: Json, time_ms: int) -> None:
        reason = event.get("reason") if event["type"] == "CommandRejected" else None
        if jump := self.jump(time_ms):
            self._while_unconfirmed(command, event, time_ms, jump)
            return
        moment = self.moment(command, time_ms)
        assert min(self.timers)[0] > moment, "what is due happens before the command"
        asked = command["to_ms"] if command["type"] == "AdvanceTime" else command["issued_at_ms"]
        if self.clock == "commanded" and asked > self.at and moment == self.at:
            assert reason == ("issued_in_future" if self.may(command) else "not_permitted")
            assert event["at"] == self.at
            return
        assert event["at"] == moment
        self.at = moment
        if not self.may(command):
            assert reason == "not_permitted"
        elif command["issued_at_ms"] > self.at + MINUTE_MS:
            assert reason == "issued_in_future"
        elif not self._known_already(command, event, reason) and not self._refused_unknown(command, reason):
            expected = getattr(self, re.sub(r"(?<!^)(?=[A-Z])", "_", command["type"]).lower())(command)
            if isinstance(expected, str):
                assert reason == expected, f"{command} is {event}, not {expected}"
            else:
                assert reason is None, f"{command} is {event}, not accepted"
                self.accept(event, expected)
            self._remember(command, event, reason or "")

    def _while_unconfirmed(self, command: Json, event: Json, time_ms: int, jump: int) -> None:
        if event["type"] == "ClockConfirmed":
            assert self.may(command)
            assert command["type"] == "ConfirmClock"
            assert event["at"] == event["through_ms"] == time_ms
            self.at = self.confirmed = time_ms
            self._remember(command, event, "")
            return
        assert (event.get("reason"), event["at"]) == ("clock_unconfirmed", self.at)
        assert event["figures"]["jump_ms"] == jump
        in_time = self.floor < command["issued_at_ms"] <= time_ms + MINUTE_MS
        if command["type"] == "ConfirmClock" and self.may(command) and in_time:
            assert self._firsts(command), "a fresh confirmation is decided"

    # --- repeats --------------------------------------------------------------------------------------

    def age(self) -> None:
        """What may have been forgotten by now, and how high the floor may have risen by that."""
        for one in self.known:
            if one["at"] <= self.at - self.window:
                one["old"] = True
                self.floor = max(self.floor, one["issued"])

    def _firsts(self, command: Json) -> list[Json]:
        return [one for one in self.known if (one["actor"], one["id"]) == (command["actor"], command["id"])]

    def _known_already(self, command: Json, event: Json, reason: str | None) -> bool:
        firsts = self._firsts(command)
        if not firsts:
            assert event["type"] != "CommandRepeated"
            assert reason != "id_reused"
            return False
        first = firsts[-1]
        same = first["content"] == content_of(command)
        if event["type"] == "CommandRepeated":
            assert same
            assert (event["first_seq"], event["reason"]) == (first["seq"], first["reason"])
            return True
        if reason == "id_reused":
            assert not same
            assert event["figures"]["first_seq"] == first["seq"]
            return True
        assert first["old"], f"{command} was forgotten within the window: {event}"
        assert not same or reason == "too_old", f"{command} was decided twice: {event}"
        return False

    def _refused_unknown(self, command: Json, reason: str | None) -> bool:
        if reason == "too_old":
            assert command["issued_at_ms"] <= self.floor
            return True
        exempt = command["type"] == "SetRepeatWindow"
        if reason == "busy":
            assert len(self.known) >= self.cap
            assert not exempt
            return True
        assert exempt or sum(not one["old"] for one in self.known) < self.cap
        return False

    def _remember(self, command: Json, event: Json, reason: str) -> None:
        self.known.append(
            {
                "actor": command["actor"],
                "id": command["id"],
                "content": content_of(command),
                "seq": event["seq"],
                "reason": reason,
                "at": self.at,
                "issued": command["issued_at_ms"],
                "old": False,
            }
        )
        if event["type"] == "RepeatWindowSet":
            self.window, self.cap = command["repeat_window_ms"], command["repeat_cap"]

    # --- money ----------------------------------------------------------------------------------------

    def accept(self, event: Json, expected: Json) -> None:
        for name, value in expected.items():
            assert event[name] == value, f"{name} is {event[name]}, not {value}, in {event}"
        for posting in event.get("postings", ()):
            account = self.accounts[posting["account"]]
            account["balance"] += posting["amount"]
            assert posting["balance"] == account["balance"]
            assert posting["currency"] == account["currency"]
        totals: dict[str, int] = {}
        for posting in event.get("postings", ()):
            totals[posting["currency"]] = totals.get(posting["currency"], 0) + posting["amount"]
        assert not any(totals.values())
        if event.get("postings"):
            self.late_for_months(event)
        if event["type"] in ("TransferPosted", "EntriesPosted"):
            legs = [(one["account"], one["amount"]) for one in event["postings"]]
            two = event["type"] == "TransferPosted"
            self.moves.append(
                {
                    "seq": event["seq"],
                    "day": self.today,
                    "legs": legs,
                    "two": two,
                    "back": 0,
                    "reversed": False,
                }
            )

    # --- who may --------------------------------------------------------------------------------------

    def may(self, command: Json) -> bool:
        actor = self.actors.get(command["actor"])
        if actor is None or actor["suspended"]:
            return False
        for role in actor["roles"]:
            permits = self.roles[role]
            if "*" in permits:
                return True
            if command["type"] in permits:
                limit = permits[command["type"]]
                if limit is None or (command["currency"] == "EUR" and command["amount"] <= limit):
                    return True
        return False

    def may_advance(self, name: str) -> bool:
        actor = self.actors.get(name)
        if actor is None or actor["suspended"]:
            return False
        return any({"*", "AdvanceTime"} & set(self.roles[role]) for role in actor["roles"])


def content_of(command: Json) -> Json:
    return {name: value for name, value in command.items() if name != "id"}
