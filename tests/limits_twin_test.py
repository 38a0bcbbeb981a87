"""Limits against a naive twin: a list of all that moved, counted anew each time by the bucketed definition.

The definition, for a rolling window of n slices of width w: at time t, everything counts that moved in the
slices t // w - n to t // w. For hours, days and months of the book: everything in the same one.
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as given_any
from hypothesis import strategies as st

from book.reserves import use
from commands.reserves import given_back, settled
from commands.terms import Movement, Terms, terms_of
from engine.log.records import Out
from schemas.catalogue import encode
from schemas.limits import LimitRaised
from schemas.rejections import CommandRejected, Rejection
from schemas.reserves import Use
from schemas.transfers import TransferPosted
from tests.story import Story, account, advance, book, given, internal, party, story, transfer, when
from tests.terms_words import limit, limits, product, raised

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
ZONE = "Europe/Berlin"
DEBITS = ("a1", "a2", "b1", "c1")
"""a1 and a2 are one party's; c1 has another product."""
CREDITS = ("x", "y")
HOLDERS = {"account": DEBITS, "party": ("p-a", "p-b", "p-c")}


def began(day: datetime.date) -> int:
    """Shortly before a midnight in Berlin."""
    moment = datetime.datetime.combine(day, datetime.time(23, 50), ZoneInfo(ZONE))
    return int(moment.timestamp()) * 1000


BEGINNINGS = [
    began(datetime.date(2024, 1, 31)),  # the end of a month
    began(datetime.date(2024, 3, 30)),  # a day of 23 hours follows
    began(datetime.date(2024, 10, 26)),  # a day of 25 hours follows
    began(datetime.date(2024, 2, 28)),  # the 29th follows
]


@dataclasses.dataclass
class Moved:
    """What the twin remembers of a movement."""

    at_ms: int
    debit: str
    credit: str
    channel: str
    amount: int
    state: str = "final"
    uses: tuple[Use, ...] = ()


@dataclasses.dataclass
class Twin:
    """lines: as in the document.   raises: (line, by, holder) to (most, until)."""

    lines: list[dict[str, Any]]
    moved: list[Moved] = dataclasses.field(default_factory=list)
    raises: dict[tuple[str, str, str], tuple[int, int]] = dataclasses.field(default_factory=dict)

    def refusal(self, wanted: Moved) -> tuple[str, dict[str, int]] | None:
        """The line that is exceeded first, with its figures; None where all have room."""
        for line in self.lines:
            most = self.most(line, wanted)
            counted = [one for one in self.moved if self.counts(line, one, wanted)]
            total = sum(weight(line, one) for one in counted)
            if total + weight(line, wanted) > most:
                reserved = sum(weight(line, one) for one in counted if one.state == "reserved")
                figures = {"used": total - reserved, "reserved": reserved, "left": max(0, most - total)}
                return line["id"], {**figures, "most": most, "wanted": weight(line, wanted)}
        return None

    def most(self, line: dict[str, Any], wanted: Moved) -> int:
        by = line["by"] if line["by"] in HOLDERS else ""
        most, until = self.raises.get((line["id"], by, holder(line, wanted)), (0, 0))
        return max(most, line["most"]) if until > wanted.at_ms else int(line["most"])

    def counts(self, line: dict[str, Any], one: Moved, wanted: Moved) -> bool:
        if line["window"] == "transaction" or one.state == "given back":
            return False
        if holder(line, one) != holder(line, wanted):
            return False
        return same_window(line, one.at_ms, wanted.at_ms)


def holder(line: dict[str, Any], one: Moved) -> str:
    match line["by"]:
        case "account":
            return one.debit
        case "party":
            return f"p-{one.debit[0]}"
        case "product":
            return "other" if one.debit == "c1" else "giro"
        case "channel":
            return one.channel
        case _:
            return one.credit


def weight(line: dict[str, Any], one: Moved) -> int:
    return 1 if line["measure"] == "count" else one.amount


def same_window(line: dict[str, Any], then_ms: int, now_ms: int) -> bool:
    match line["window"]:
        case "hour":
            return then_ms // HOUR_MS == now_ms // HOUR_MS
        case "day":
            return local(then_ms).date() == local(now_ms).date()
        case "month":
            return (local(then_ms).year, local(then_ms).month) == (local(now_ms).year, local(now_ms).month)
        case _:
            width = line["span_ms"] // line["buckets"]
            return bool(then_ms // width >= now_ms // width - line["buckets"])


def local(at_ms: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at_ms / 1000, ZoneInfo(ZONE))


@st.composite
def lines(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Up to four limits of any kind."""
    found: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 3))):
        window = draw(
            st.sampled_from(["transaction", "hour", "day", "day", "month", "rolling", "rolling", "rolling"])
        )
        fields: dict[str, Any] = {"by": "account"}
        most = draw(st.integers(3, 20).map(lambda tens: tens * 10))
        if window != "transaction":
            fields["by"] = draw(
                st.sampled_from(
                    ["account", "account", "account", "party", "product", "channel", "counterparty"]
                )
            )
            if draw(st.booleans()):
                fields |= {"measure": "count", "currency": None}
                most = draw(st.integers(2, 5))
        if window == "rolling":
            buckets = draw(st.integers(1, 5))
            fields |= {"buckets": buckets, "span_ms": buckets * draw(st.sampled_from([HOUR_MS, 6 * HOUR_MS]))}
        one = limit(f"l{number}", most, window, **fields)
        counts = (one["measure"], window, one.get("span_ms"), one["by"], one["currency"])
        if counts not in [
            (o["measure"], o["window"], o.get("span_ms"), o["by"], o["currency"]) for o in found
        ]:
            found.append(one)
    return found


STEPS = [60_000, 20 * 60_000, HOUR_MS, HOUR_MS, 2 * HOUR_MS, 6 * HOUR_MS, DAY_MS, 2 * DAY_MS]
MOVES = st.fixed_dictionaries(
    {
        "debit": st.sampled_from(("a1", "a1", "a1", *DEBITS)),
        "credit": st.sampled_from(CREDITS),
        "channel": st.sampled_from(["", "online"]),
        "amount": st.integers(1, 9).map(lambda tens: tens * 10),
    }
)
ACTS = st.one_of(
    st.tuples(st.just("hold"), MOVES),
    st.tuples(st.just("hold"), MOVES),
    st.tuples(st.just("pass"), st.sampled_from(STEPS)),
    st.tuples(st.just("settle"), st.lists(st.integers(0, 9), max_size=3, unique=True)),
    st.tuples(st.just("give back"), st.lists(st.integers(0, 9), max_size=3, unique=True)),
    st.tuples(st.just("raise"), st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 3))),
)


def begin(beginning: int, some: list[dict[str, Any]], batch: int | None = None) -> Story:
    given(book(time_zone=ZONE), began=beginning, batch=batch)
    when(
        limits("retail", *some),
        product("giro", limits=["retail"]),
        product("other", limits=["retail"]),
        [party(f"p-{name}") for name in "abc"],
        [
            account(one, 10**9, party_id=f"p-{one[0]}", product="other" if one == "c1" else "giro")
            for one in DEBITS
        ],
        [internal(one) for one in CREDITS],
    )
    return story()


def ask(told: Story, wanted: Moved, *, reserved: bool) -> Terms | Rejection:
    accounts = told.book.accounts
    return terms_of(
        told.book,
        Movement(
            "hold", wanted.debit, accounts[wanted.debit], wanted.amount, "EUR", wanted.credit, wanted.channel
        ),
        wanted.at_ms,
        reserved=reserved,
    )


@pytest.mark.by_hand
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given_any(st.sampled_from(BEGINNINGS), lines(), st.lists(ACTS, min_size=20, max_size=40))
def test_what_is_reserved_settled_and_given_back_counts_as_the_twin_counts_it(
    beginning: int, some: list[dict[str, Any]], acts: list[tuple[str, Any]]
) -> None:
    """Uses are applied as events would apply them: a hold, a capture and a release differ only in that."""
    told = begin(beginning, some)
    state = told.book
    twin = Twin(some)
    now = told.now
    for act, about in acts:
        now = max(now, state.at)
        if act == "pass":
            now += about
            told.now = now
            when(advance(now))
        elif act == "hold":
            wanted = Moved(
                now, about["debit"], about["credit"], about["channel"], about["amount"], "reserved"
            )
            expected = twin.refusal(wanted)
            found = ask(told, wanted, reserved=True)
            if isinstance(found, Rejection):
                assert expected is not None, found
                shown = dict(found.figures)
                assert (found.reason, shown.pop("limit")) == ("limit_exceeded", f"retail/{expected[0]}")
                assert int(shown.pop("resets_at_ms", now + 1)) > now
                assert shown == {name: expected[1][name] for name in shown}
                assert {"most", "wanted"} <= shown.keys()
            else:
                assert expected is None, expected
                use(state, found.uses)
                wanted.uses = found.uses
                twin.moved.append(wanted)
        elif act == "raise":
            of, whose, days = about
            raise_one(told, twin, some[of % len(some)], whose, now + days * DAY_MS // 2)
        else:
            chosen = [one for n, one in enumerate(twin.moved) if n in about and one.state == "reserved"]
            uses = [one for moved in chosen for one in moved.uses]  # all in one event
            use(state, settled(state, uses) if act == "settle" else given_back(state, uses))
            for one in chosen:
                one.state = "final" if act == "settle" else "given back"


def raise_one(told: Story, twin: Twin, line: dict[str, Any], whose: int, until: int) -> None:
    by = line["by"]
    if by not in HOLDERS:
        return
    who = HOLDERS[by][whose % len(HOLDERS[by])]
    told.now = max(told.now, told.book.at)
    most = line["most"] + 50
    ((event,),) = when(raised(line["id"], most, until, **{by: who}))
    assert isinstance(event, LimitRaised)
    twin.raises[line["id"], by, who] = (most, until)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given_any(
    st.sampled_from(BEGINNINGS),
    lines(),
    st.sampled_from([1, 2, 7, 1_000]),
    st.lists(st.tuples(MOVES, st.sampled_from([0, 0, *STEPS])), min_size=10, max_size=30),
)
def test_transfers_in_batches_pass_where_there_is_room_and_only_there(
    beginning: int, some: list[dict[str, Any]], batch: int, moves: list[tuple[dict[str, Any], int]]
) -> None:
    told = begin(beginning, some, batch=batch)
    twin = Twin(some)
    outs, wanted = [], []
    for about, ms in moves:
        told.now += ms + 1
        said = transfer(about["debit"], about["credit"], about["amount"], channel=about["channel"])
        command = told.command(said)
        outs.append(Out(b"main", encode(command)))
        wanted.append(Moved(told.now, about["debit"], about["credit"], about["channel"], about["amount"]))
    offsets = told.log.submit(outs)
    while any(offset not in told.answers for offset in offsets):
        told.worker.step()
    for offset, one in zip(offsets, wanted, strict=True):
        (*_, event) = told.answers[offset]
        refused = twin.refusal(one)
        if refused is None:
            assert isinstance(event, TransferPosted), event
            twin.moved.append(one)
        else:
            assert isinstance(event, CommandRejected)
            assert event.figures["limit"] == f"retail/{refused[0]}"
    told.check()
