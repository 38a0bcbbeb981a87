"""What-if, on the terminal."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from book.state import Book
from console.choices import date_of
from console.documents import drafted, instant_in, refusals, the_book
from console.output import Output
from console.what_if_risk import show_risk
from engine.errors import WrongUse
from engine.home import Home
from engine.settings import Settings
from engine.site import Site
from gateway.document_files import read_drafts
from replay.effects import Example
from replay.what_if import what_if as decide_otherwise
from replay.what_if_result import WhatIf, proof_of
from schemas.money import EXPONENTS, format_minor


def what_if(
    output: Output,
    home: Home,
    settings: Settings,
    files: Sequence[Path],
    first: str,
    last: str | None,
    examples: int,
    capacity: int | None,
    book: str | None,
) -> bool:
    """Show what the drafts would have changed; False where the book would not have taken them."""
    drafts = [draft for path in files for draft in read_drafts(path)]
    _, now = the_book(home, settings, book)
    from_ms = instant_in(now.time_zone, first)
    to_ms = None if last is None else _end(now.time_zone, last)
    if from_ms > now.at:
        raise WrongUse(f"Nothing has happened in {now.id} since {first}.", "Begin earlier.")
    if to_ms is not None and to_ms < from_ms:
        raise WrongUse(f"{last} is before {first}.", "Swap --from and --to.")
    until = drafted(drafts, now.time_zone)
    with Site(home, settings).read_book(now.id) as log, output.progress() as bar:
        task = bar.add_task("deciding otherwise", total=None)
        began = time.perf_counter()
        found = decide_otherwise(
            log,
            now.id,
            until,
            from_ms,
            to_ms,
            examples=examples,
            capacity=capacity,
            progress=lambda done: bar.update(task, completed=done),
        )
        took = time.perf_counter() - began
    if found.refused:
        for told in refusals(drafts, found.refused):
            output.fail(told)
        output.emit(**msgspec.to_builtins(found))
        return False
    _show(output, now, found, took)
    proof = proof_of(found)
    output.say(f"Proof of this: {proof}")
    output.emit(**msgspec.to_builtins(found), proof=proof)
    return True


def _end(time_zone: str, text: str) -> int:
    """The last millisecond of a day, or a time."""
    if len(text) <= 10:
        following = date_of(text) + datetime.timedelta(days=1)
        return instant_in(time_zone, following.isoformat()) - 1
    return instant_in(time_zone, text)


def _show(output: Output, book: Book, found: WhatIf, took: float) -> None:
    share = f" ({found.changed / found.commands:.1%})" if found.commands else ""
    output.say(
        f"{found.commands:,} commands decided again in {took:.1f} s: {found.changed:,} would have had "
        f"another outcome{share}, {found.not_comparable:,} are not comparable."
    )
    if found.other_release:
        output.say(f"{found.other_release:,} were recorded by another release, which may be the difference.")

    def amount(minor: int, currency: str) -> str:
        return format_minor(minor, book.assets.get(currency, EXPONENTS.get(currency, 0)))

    if found.fees:
        output.table(
            "",
            ["fees by tariff line", "", ">charged", ">as recorded", ">it would be", ">difference"],
            [
                (
                    one.line,
                    one.currency,
                    f"{one.before_count:,} / {one.after_count:,}",
                    amount(one.before, one.currency),
                    amount(one.after, one.currency),
                    amount(one.after - one.before, one.currency),
                )
                for one in found.fees
            ],
        )
    if found.risk is not None:
        show_risk(output, found.risk, amount)
    if found.refusals:
        output.table(
            "",
            ["refused", ">as recorded", ">it would be", ">newly", ">no longer"],
            [
                (one.reason, *(f"{n:,}" for n in (one.before, one.after, one.newly, one.no_longer)))
                for one in found.refusals
            ],
        )
    output.say(
        f"Approvals: {found.would_wait:,} would have waited, {found.no_longer_wait:,} no longer. "
        f"Accounts of customers that would stand elsewhere: {found.customers_differ:,}."
    )
    if found.earned:
        output.table(
            "",
            ["account of the bank", "", ">would stand higher by"],
            [(one.account, one.currency, amount(one.difference, one.currency)) for one in found.earned],
        )
    for title, chosen in (("First", found.first), ("Largest", found.largest)):
        if chosen:
            output.table(
                "",
                [f"{title} examples", "type", "by", ">seq", "was", "would be", ">about", ""],
                list(_rows(chosen, amount)),
            )


def _rows(examples: Sequence[Example], amount: Callable[[int, str], str]) -> Iterator[tuple[str | int, ...]]:
    for one in examples:
        yield (
            one.command,
            one.type,
            one.actor,
            one.seq,
            one.was + _charged(one.fees, amount),
            one.would_be + _charged(one.would_be_fees, amount),
            amount(one.minor, one.currency) if one.currency else "",
            one.currency,
        )


def _charged(fees: dict[str, int], amount: Callable[[int, str], str]) -> str:
    return "".join(f", fee {amount(minor, currency)} {currency}" for currency, minor in sorted(fees.items()))
