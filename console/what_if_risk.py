"""What a what-if says about risk, on the terminal. It is for staff, and must not reach whom it is about."""

from __future__ import annotations

from collections.abc import Callable

from console.output import Output
from replay.risk_effects import Caught, Risk
from replay.risk_seen import OUTCOMES

Amount = Callable[[int, str], str]


def show_risk(output: Output, risk: Risk, amount: Amount) -> None:
    """Verdicts, rules, what was caught, money and reviews."""
    if not risk.movements:
        output.say("No customer's money moved in that time.")
        return
    count = {(one.was, one.would_be): one.movements for one in risk.verdicts}
    shown = [one for one in OUTCOMES if any(one in pair for pair in count)]
    output.table(
        "",
        ["verdict as recorded", *(f">would be: {one}" for one in shown)],
        [(was, *(f"{count.get((was, now), 0):,}" for now in shown)) for was in shown],
    )
    if risk.rules:
        output.table(
            "",
            ["rule", ">applied", ">would have", ">bad", ">good", ">precision"],
            [
                (
                    one.rule,
                    f"{one.before:,}",
                    f"{one.after:,}",
                    f"{one.bad:,}",
                    f"{one.good:,}",
                    _percent(one.precision),
                )
                for one in risk.rules
            ],
        )
    output.say(
        f"Of {risk.movements:,} movements, cases have found {risk.known_bad:,} bad and "
        f"{risk.known_good:,} good. Stopped as recorded: {_caught(risk.before)}; "
        f"with the drafts: {_caught(risk.after)}."
    )
    if risk.at_stake:
        output.table(
            "",
            ["money whose verdict changes", ">saved", ">lost", ">delayed", ">refused"],
            [
                (
                    one.currency,
                    *(amount(what, one.currency) for what in (one.saved, one.lost, one.delayed, one.refused)),
                )
                for one in risk.at_stake
            ],
        )
    reviews = risk.reviews
    more = ""
    if reviews.capacity is not None:
        more = (
            f" The team can do {reviews.capacity:,} a day: more came on {reviews.above:,} days, at most "
            f"{reviews.backlog:,} would have waited at the end of one, and {reviews.left:,} at the end."
        )
    output.say(
        f"Reviews: {reviews.after:,} in {reviews.days:,} days where there were {reviews.before:,}, "
        f"at most {reviews.busiest:,} on one day.{more}"
    )


def _caught(one: Caught) -> str:
    return f"{one.stopped:,} (precision {_percent(one.precision)}, recall {_percent(one.recall)})"


def _percent(per_mille: int | None) -> str:
    return "none known" if per_mille is None else f"{per_mille // 10}.{per_mille % 10}%"
