"""Rules on the terminal, for risk staff. What is shown here must never reach whom it is about."""

from __future__ import annotations

import msgspec

from book.state import Book
from commands.decision import digits_of
from console.feeds import only_book
from console.output import Output, utc
from engine.fold import Folded
from engine.home import Home
from engine.settings import Settings
from engine.site import Site
from engine.snapshots import load_newest
from replay.explain import DocumentLine, Explained, RuleLine, explained
from replay.scored import find, scored
from schemas.money import format_minor

MOST_OTHERS = 20


def explain(
    output: Output, home: Home, settings: Settings, name: str, book: str | None, *, every: bool
) -> bool:
    """Show the waterfall of a movement; of several of the same name, the newest. False where the rules would
    say something else now than was noted then.
    """
    site = Site(home, settings)
    book = book or only_book(site)
    partition = site.partition_of(book)
    with site.read(partition) as log:
        *others, found = find(log, book, name)
        folded = load_newest(site.snapshots(partition), log, before=found.offset) or Folded()
        seen = scored(log, folded, found)
        told = explained(seen)
    show_waterfall(output, told, seen.book, every=every)
    if others:
        seqs = ", ".join(f"#{one.event.seq}" for one in others[-MOST_OTHERS:])
        output.say(f"There are {len(others):,} more of this name, before it: {seqs}.")
    if not told.as_recorded:
        output.fail("That is not what was noted at the time: another release decided it.")
    output.emit(**msgspec.to_builtins(told))
    return told.as_recorded


DONE = {"approve": "It went through", "review": "It was to be reviewed", "decline": "It was declined"}


def show_waterfall(output: Output, told: Explained, book: Book, *, every: bool = False) -> None:
    """What was asked, the account's norm, each rule that applied, and what it came to. every: also those that
    did not.
    """
    what = f"{told.kind.replace('_', ' ')} {told.movement}".strip()
    to = f" to {told.counterparty}" if told.counterparty else ""
    by = f", channel {told.channel}" if told.channel else ""
    output.say(
        f"{what}: {told.shown} from {told.account}"
        f"{f' of {told.party}' if told.party else ''}{to}{by}; {utc(told.at_ms)}, seq {told.seq}."
    )
    if (norm := told.norm) is not None:
        digits = digits_of(book, told.currency)
        output.say(
            f"The account's norm: {norm.payments:,} payments of {format_minor(norm.mean, digits)} "
            f"{told.currency} on average, deviation {format_minor(norm.deviation, digits)}."
        )
    output.table(
        "",
        ["feature", ">value", "what it is"],
        [(one.feature, one.shown, one.meaning) for one in told.features],
    )
    for document in told.documents:
        _show_document(output, document, every=every)
    if not told.documents:
        output.say("No rules in force then were about it.")
    output.say(f"{DONE[told.verdict]}.")


def _show_document(output: Output, one: DocumentLine, *, every: bool) -> None:
    stage = "" if one.live else ", in shadow: it had no say"
    output.head(f"rules/{one.rules} version {one.version}{stage}")
    lines = [line for line in one.lines if every or line.holds]
    if lines:
        output.table(
            "",
            ["rule", ">points", "counted", "it asks", "values met"],
            [
                (line.rule.partition("/")[2], line.gives, _counted(line), line.says, _met(line))
                for line in lines
            ],
        )
    for cap in one.caps:
        if cap.points > cap.cap:
            output.say(f"The group {cap.group} comes to {cap.points}; its cap leaves {cap.counted}.")
    thresholds = ", ".join(
        f"{name} from {most}" for name, most in (("review", one.review), ("decline", one.decline)) if most
    )
    left = len(one.lines) - len(lines)
    if left:
        output.say(f"{left:,} {'rule' if left == 1 else 'rules'} did not apply; --all shows them.")
    stops = [line.rule.partition("/")[2] for line in one.lines if line.stop and line.applied and line.counted]
    because = f", by the stop {', '.join(stops)}, whatever the score" if stops else ""
    output.say(f"Score {one.score} ({thresholds or 'no thresholds'}): {one.verdict}{because}.")


def _counted(line: RuleLine) -> str:
    if not line.holds:
        return "does not hold"
    if line.instead:
        return line.instead
    return "yes" if line.counted else f"no: {line.stage}"


def _met(line: RuleLine) -> str:
    return "; ".join(f"{one.asks}: {one.shown}" for one in dict.fromkeys(line.values))
