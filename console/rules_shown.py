"""Rules on the terminal, for risk staff: which there are, as sentences, and how often they apply."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import msgspec

from book.ruling import RulesInForce
from book.state import Book
from commands.calendar import local_text
from commands.decision import digits_of
from console.choices import instant_of
from console.documents import the_book
from console.output import Output
from console.read_models import book_session
from engine.home import Home
from engine.settings import Settings
from projections.risk_queries import assessments, rule_stats
from replay.rule_words import gives, in_words
from schemas.documents.rules import WHERE, Rule, Rules, Thresholds, Where
from schemas.features import FEATURES
from schemas.money import EXPONENTS, format_minor


def features(output: Output) -> None:
    """Show the catalogue."""
    output.table(
        "",
        ["feature", "unit", "about", "what it is"],
        [(one.name, one.unit.replace("_", " "), one.about, one.meaning) for one in FEATURES.values()],
    )
    for one in FEATURES.values():
        output.emit(**msgspec.to_builtins(one))


def list_rules(output: Output, home: Home, settings: Settings, book: str | None) -> None:
    """Show what is in force."""
    _, found = the_book(home, settings, book)
    ruling = found.in_force.ruling
    rows = [_row(name, ruling.rules[name]) for name in sorted(ruling.rules)]
    output.table(
        "",
        ["rules", ">version", "stage", ">live", ">in shadow", ">off", "thresholds", "about"],
        [tuple(row.values()) for row in rows],
    )
    if not rows:
        output.say("No rules are in force.")
    for row in rows:
        output.emit(**row)
    models = [
        {"model": name, "version": one.version, **msgspec.to_builtins(one.body)}
        for name, one in sorted(ruling.models.items())
    ]
    if models:
        output.table(
            "",
            ["model", ">version", "role", "made by", "approved by", "trained on"],
            [
                (
                    one["model"],
                    one["version"],
                    one["role"],
                    one["made_by"],
                    one["approved_by"],
                    one["trained_on"],
                )
                for one in models
            ],
        )
    for one in models:
        output.emit(**one)


def _row(name: str, one: RulesInForce) -> dict[str, Any]:
    stages = [rule.stage for rule in one.body.rules]
    return {
        "rules": name,
        "version": one.version,
        "stage": _stage(one.body),
        "live": sum(1 for stage in stages if stage in ("live", "share")),
        "in_shadow": stages.count("shadow"),
        "off": stages.count("off"),
        "thresholds": _thresholds(one.body.thresholds),
        "about": _about(one.body.only) or "all",
    }


def _stage(one: Rules | Rule) -> str:
    return f"share of {one.share / 10:g} %" if one.share is not None else one.stage


def _thresholds(one: Thresholds) -> str:
    told = [
        f"{name} from {score}" for name, score in (("review", one.review), ("decline", one.decline)) if score
    ]
    return ", ".join(told) or "none"


def _about(where: Where) -> str:
    return "; ".join(f"{name}: {', '.join(getattr(where, name))}" for name in WHERE if getattr(where, name))


def show(output: Output, home: Home, settings: Settings, name: str, book: str | None) -> bool:
    """Show a document's rules as sentences; False where there is none of the name in force."""
    _, found = the_book(home, settings, book)
    document, _, only = name.partition("/")
    one = found.in_force.ruling.rules.get(document)
    chosen = [rule for rule in one.body.rules if only in ("", rule.id)] if one is not None else []
    if one is None or not chosen:
        output.fail(f"There are no rules {name} in force.")
        return False
    body = one.body

    def digits(currency: str) -> int:
        return digits_of(found, currency)

    told = [
        {
            "rule": f"{document}/{rule.id}",
            "gives": gives(rule),
            "stage": _stage(rule),
            "group": rule.group or "",
            "says": in_words(rule.when, body.currency or "", digits),
            "about": _about(rule.only),
            "in_force": _dates(found, rule),
            "why": rule.why,
        }
        for rule in chosen
    ]
    output.say(
        f"rules/{document} version {one.version}: {_stage(body)}; {_about(body.only) or 'all movements'}."
    )
    output.table(
        "",
        ["rule", ">points", "stage", "group", "applies where", "only for", "in force", "why"],
        [(row["rule"].partition("/")[2], *list(row.values())[1:]) for row in told],
    )
    for line in body.by:
        where = "; ".join(
            f"{part}: {', '.join(names)}"
            for part, names in (("channels", line.channels), ("segments", line.segments))
            if names
        )
        output.say(
            f"Thresholds for {where}: {_thresholds(Thresholds(review=line.review, decline=line.decline))}."
        )
    output.say(
        f"Thresholds: {_thresholds(body.thresholds)}; the most points there can be are {body.highest()}."
    )
    for cap in body.caps:
        output.say(f"The group {cap.group} gives at most {cap.most}.")
    for row in told:
        output.emit(**row)
    return True


def _dates(book: Book, rule: Rule) -> str:
    told = [
        f"{word} {local_text(book.time_zone, at_ms)}"
        for word, at_ms in (("from", rule.from_ms), ("until", rule.until_ms))
        if at_ms is not None
    ]
    return " ".join(told)


def stats(
    output: Output, home: Home, settings: Settings, since: str | None, until: str | None, book: str | None
) -> None:
    """Show how often each rule applied."""
    with book_session(output, home, settings, book) as (session, name):
        rows = rule_stats(session, name, _instant(since), _instant(until))
    if not rows:
        output.say("No rule has applied.")
        return
    output.table(
        "",
        [
            "rule",
            "versions",
            ">hits",
            ">share",
            ">counted",
            ">parties",
            ">declined",
            ">reviewed",
            "last (UTC)",
        ],
        [
            (
                one.rule,
                _numbers(one.versions),
                f"{one.hits:,}",
                f"{one.share / 10:.1f} %",
                f"{one.counted:,}",
                f"{one.parties:,}",
                f"{one.declined:,}",
                f"{one.reviewed:,}",
                f"{one.last:%Y-%m-%d %H:%M:%S}",
            )
            for one in rows
        ],
    )
    for one in rows:
        output.emit(**msgspec.to_builtins(one))


def _numbers(versions: Sequence[int]) -> str:
    return f"{versions[0]}" if len(versions) == 1 else f"{versions[0]} to {versions[-1]}"


def _instant(text: str | None) -> datetime.datetime | None:
    if text is None:
        return None
    return datetime.datetime.fromtimestamp(instant_of(text) / 1_000, datetime.UTC)


def hits(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    *,
    rule: str | None,
    party: str | None,
    done: str | None,
    limit: int,
) -> None:
    """Show the movements on which rules applied."""
    with book_session(output, home, settings, book) as (session, name):
        rows = assessments(session, name, rule=rule, party=party, done=done, limit=limit)
    output.table(
        "",
        [
            "at (UTC)",
            "movement",
            ">seq",
            "account",
            "party",
            ">amount",
            "",
            "rules",
            ">score",
            "verdict",
            "done",
            "applied",
        ],
        [
            (
                f"{one.at:%Y-%m-%d %H:%M:%S}",
                one.movement,
                f"#{one.of_seq}",
                one.account,
                one.party,
                format_minor(one.amount, EXPONENTS.get(one.currency, 0)),
                one.currency,
                f"{one.rules}@{one.version}{'' if one.stage == 'live' else ' in shadow'}",
                one.score,
                one.verdict,
                one.done,
                ", ".join(rule.partition("/")[2] for rule in one.applied),
            )
            for one in rows
        ],
    )
    if not rows:
        output.say("No rule has applied.")
    for one in rows:
        output.emit(**msgspec.to_builtins(one))
