"""The demo's month at the risk desk: told line by line, watched, triaged, and a case worked to its end."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import msgspec

from console.demo_day import tell
from console.output import Output
from console.rules import show_waterfall
from console.what_if_risk import show_risk
from detection.detector import NAME, Detector
from detection.triage import Group, Ranked, case_of, ranked, report
from engine.derivation import Host, in_memory
from engine.fold import Folded
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST
from engine.site import OpenLog, Site
from gateway.demo_risk import BEGAN_MS, BOOK, DAY_MS, DECLINED, RULES, RiskMonth
from gateway.demo_risk_documents import rules
from gateway.demo_told import Line
from gateway.demo_two import Submit
from replay.drafts import Drafted
from replay.explain import explained
from replay.scored import find, scored
from replay.what_if import what_if
from replay.what_if_result import proof_of
from schemas.alerts import Alert, decode_alert
from schemas.money import EXPONENTS, format_minor

TEAM_CAPACITY = 40
STRICTER = 55


class Month(msgspec.Struct):
    """What the month has come to. ok: every line came as it was meant, and all that was planted is found."""

    lines: list[Line]
    alerts: list[Alert]
    order: Sequence[Ranked]
    ok: bool


def live(
    output: Output, submit: Submit, admin: str, site: Site, logs: Sequence[OpenLog | MemoryLog]
) -> Month:
    """Live the month, look for what was planted in it, and make cases of what is found."""
    month = RiskMonth(submit, admin)
    lines = list(month.lines())
    alerts = [one for one in noticed(site, logs) if one.book == BOOK]
    groups: dict[str, Group] = {}
    commands = []
    for alert in alerts:
        case = case_of(alert)
        groups[case], command = report(groups.get(case), alert)
        commands.append(command)
    month.report(commands)
    lines += month.worked()
    output.head("A month at the risk desk: rules in the path of payments, and eyes on what goes on over time")
    tell(output, lines)
    found = {(one.kind, one.account) for one in alerts}
    missing = {(one.kind, one.account) for one in month.planted} - found
    for kind, account in sorted(missing):
        output.fail(f"{kind} was planted in {account} and not found")
    ok = not missing and all(line.meant for line in lines)
    return Month(lines, alerts, ranked(groups.items(), TEAM_CAPACITY), ok)


def noticed(site: Site, logs: Sequence[OpenLog | MemoryLog]) -> list[Alert]:
    """The alerts that follow from all events, which are in the home's own log of alerts from here on."""
    found = []
    for partition, log in enumerate(logs):
        kept = MemoryLog() if isinstance(log, MemoryLog) else None
        output = site.write_alerts(partition, NAME) if kept is None else in_memory(kept)
        with contextlib.closing(output):
            host = Host(Detector(log), log, output)
            while host.step():
                pass
        feed = site.read_alerts(partition) if kept is None else kept.reader()
        with contextlib.closing(feed):
            found += [decode_alert(record.value) for record in feed.events(BEFORE_FIRST)]
    return found


def show(output: Output, month: Month, log: OpenLog | MemoryLog) -> None:
    """What was noticed, in which order the cases are to be worked, and why a payment was declined.

    log: that has the book.
    """
    output.head("What was noticed: one of each typology was planted, and what rules did")
    output.table(
        "",
        ["day", "what", "account", ">at stake", ">sure", "in words"],
        [
            (
                one.day,
                one.kind,
                one.account,
                format_minor(one.amount, 2),
                f"{one.confidence / 10:.0f} %",
                one.words,
            )
            for one in month.alerts
        ],
    )
    output.head("The cases that they make, in the order of what is at stake")
    output.table(
        "",
        [">place", "case", "about", "day", ">alerts", ">priority", "today"],
        [
            (
                one.place,
                one.case[:13],
                one.group.about,
                one.group.day,
                len(one.group.ranked),
                f"{one.group.priority:,}",
                "yes" if one.today else "no",
            )
            for one in month.order
        ],
    )
    output.head("Why flat-deposit was declined: for risk staff, from the log alone")
    seen = scored(log, Folded(), find(log, BOOK, DECLINED)[-1])
    show_waterfall(output, explained(seen), seen.book)
    output.head(
        "What if payments were declined from a score of 55 on: the month decided again, nothing written"
    )
    draft = Drafted("rules", RULES, rules(decline=STRICTER))
    found = what_if(log, BOOK, [draft], BEGAN_MS + DAY_MS)
    assert found.risk is not None, "a draft of rules tells of verdicts"
    show_risk(output, found.risk, lambda minor, currency: format_minor(minor, EXPONENTS[currency]))
    output.say(f"Proof of this, for the request to approve the new version: {proof_of(found)}")
