"""The proofs, from the command line."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from book.state import Partition
from console.choices import date_of, instant_of
from console.feeds import only_book
from console.output import Output, utc
from console.read_models import bring_up_to_date
from engine.errors import WrongUse
from engine.fold import Folded
from engine.home import Home
from engine.log.records import wall_clock
from engine.receipts import (
    NEWEST_FILE,
    Signer,
    public_key_path,
    read_public_key,
    read_receipts,
    read_signing_key,
)
from engine.settings import Settings
from engine.site import OpenLog, Site
from engine.snapshots import load_newest
from projections.database import open_database
from projections.rebuild import rebuild as rebuild_read_models
from replay import as_of as replay_as_of
from replay.problems import Problem
from replay.redecide import Redecided, together
from replay.redecide import redecide as decide_again
from replay.verify import verify_all
from schemas.money import EXPONENTS, format_minor

if TYPE_CHECKING:
    from rich.progress import Progress

SHOWN_CHARACTERS = 2_000


def verify(
    output: Output, home: Home, settings: Settings, against: Sequence[Path], *, read_models: bool
) -> bool:
    """Check the log, and every row of the read models."""
    site = Site(home, settings)
    own = [site.receipts(partition) / NEWEST_FILE for partition in site.partitions]
    receipts = [
        receipt
        for path in (*against, *(path for path in own if path.exists()))
        for receipt in read_receipts(path)
    ]
    key_file = public_key_path(home.signing_key)
    public_key = read_public_key(key_file) if key_file.exists() else None
    with output.progress() as bar:
        task = bar.add_task("verifying", total=_newest(site))

        def compare(partition: Partition, offset: int) -> Iterable[Problem]:
            return _read_model_problems(output, site)

        began = time.perf_counter()
        found = verify_all(
            site.readers(),
            several=site.kind == "kafka",
            commands_may_wait=site.commands_may_wait,
            receipts=receipts,
            public_key=public_key,
            extra=compare if read_models else None,
            progress=lambda done: bar.update(task, completed=done),
        )
        took = time.perf_counter() - began
    for problem in found.problems:
        output.say(f"PROBLEM  {problem}")
    if found.problem_count > len(found.problems):
        output.say(f"... and {found.problem_count - len(found.problems):,} more.")
    output.table(
        "",
        ["book", ">events", ">accounts", ">parties", "digest"],
        [
            (name, f"{one.seq:,}", f"{one.accounts:,}", f"{one.parties:,}", f"{one.digest[:16]}…")
            for name, one in found.books.items()
        ],
    )
    verdict = "holds" if found.ok else f"has {found.problem_count:,} problems"
    output.say(
        f"{found.events:,} events and {found.commands:,} commands checked in {took:.1f} s: "
        f"history {verdict}. {found.receipts} receipts fit; "
        f"{found.unsigned_tail:,} events are behind the newest of them."
    )
    output.say(f"Digest {found.digest}")
    output.emit(
        ok=found.ok,
        events=found.events,
        commands=found.commands,
        digest=found.digest,
        problems=[str(problem) for problem in found.problems],
        problem_count=found.problem_count,
        receipts=found.receipts,
        unsigned_tail=found.unsigned_tail,
    )
    return found.ok


def _newest(site: Site) -> int:
    """About how many events there are."""
    return sum(log.last_event_offset() + 1 for _, log in site.readers())


def _read_model_problems(output: Output, site: Site) -> Iterable[Problem]:
    """Every row of the read models that is not what the log says."""
    bring_up_to_date(output, site.home, site.settings)
    with (
        open_database(site.home.postgres, site.settings.database_url) as database,
        site.read_all() as logs,
    ):
        compared = rebuild_read_models(database.dsn, logs, compare_only=True)
    for table in compared.tables:
        if table.differing:
            examples = "; ".join(table.examples)
            yield Problem(f"read model {table.name}: {table.differing} rows differ from the log: {examples}")


def rebuild(output: Output, home: Home, settings: Settings) -> bool:
    """Make the read models anew, compare them with the live ones, swap."""
    began = time.perf_counter()
    site = Site(home, settings)
    with (
        site.read_all() as logs,
        open_database(home.postgres, settings.database_url) as database,
        output.progress() as bar,
    ):
        task = bar.add_task("rebuilding", total=_newest(site))
        done = rebuild_read_models(
            database.dsn, logs, progress=lambda events: bar.update(task, completed=events)
        )
    took = time.perf_counter() - began
    bring_up_to_date(output, home, settings)  # what the log had beyond the read models
    output.table(
        "",
        ["read model", ">rows", ">differing", "examples"],
        [(one.name, f"{one.rows:,}", f"{one.differing:,}", "; ".join(one.examples)) for one in done.tables],
    )
    verdict = "they were identical to the live ones" if done.identical else "the live ones were DIFFERENT"
    if not done.compared:
        verdict = "there was nothing to compare them with"
    output.say(f"{done.events:,} events in {took:.1f} s: {verdict}, and took their place.")
    output.emit(
        ok=done.identical,
        compared=done.compared,
        events=done.events,
        tables={one.name: {"rows": one.rows, "differing": one.differing} for one in done.tables},
    )
    return done.identical


def as_of(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    *,
    at: str | None,
    seq: int | None,
    value_date: str | None,
    account: str | None,
) -> bool:
    """Balances as known at a time or seq, booked or by value date."""
    site = Site(home, settings)
    book = book or only_book(site)
    with site.read_book(book) as log:
        view = replay_as_of.as_of(
            log,
            book,
            seq=seq,
            at_ms=None if at is None else instant_of(at),
            value_date=None if value_date is None else date_of(value_date),
        )
    chosen = [one for one in view.accounts() if account in (None, one.account)]
    by_value = value_date is not None
    output.say(f"Book {book} as known after seq {view.book.seq}, {utc(view.book.at)}.")
    output.table(
        "",
        [
            "account",
            "kind",
            "currency",
            ">booked",
            ">held",
            ">available",
            *([f">by {value_date}"] * by_value),
        ],
        [
            (
                one.account,
                one.kind,
                one.currency,
                *(
                    ""
                    if amount is None
                    else format_minor(
                        amount, view.book.assets.get(one.currency, EXPONENTS.get(one.currency, 0))
                    )
                    for amount in (one.booked, one.held, one.available, *([one.by_value_date] * by_value))
                ),
            )
            for one in chosen
        ],
    )
    output.emit(
        book=book,
        seq=view.book.seq,
        at=view.book.at,
        value_date=value_date,
        accounts=[msgspec.to_builtins(one) for one in chosen],
    )
    if account is not None and not chosen:
        output.fail(f"There was no account {account} then.")
        return False
    return True


def redecide(output: Output, home: Home, settings: Settings) -> bool:
    """Run every command again and compare the events byte for byte."""
    site = Site(home, settings)
    with output.progress() as bar:
        began = time.perf_counter()
        found = together([_decided_again(log, site, bar) for _, log in site.readers()])
        took = time.perf_counter() - began
    for one in found.differences:
        output.say(f"DIFFERENT  book {one.book}, seq {one.seq}, command {one.command}: {one.what}")
        for title, values in (("recorded", one.recorded), ("decided", one.decided)):
            for value in values:
                output.say(f"  {title:<9}{value[:SHOWN_CHARACTERS]}")
    output.say(
        f"{found.commands:,} commands decided again in {took:.1f} s: {found.compared:,} events are "
        f"{'the same, byte for byte' if found.ok else 'NOT all the same'}."
    )
    output.say(f"Digest {found.digest}")
    output.emit(
        ok=found.ok,
        commands=found.commands,
        events=found.compared,
        digest=found.digest,
        differences=[one.what for one in found.differences],
    )
    return found.ok


def _decided_again(log: OpenLog, site: Site, bar: Progress) -> Redecided:
    task = bar.add_task("deciding again", total=log.last_command_offset() + 1)
    return decide_again(
        log,
        commands_may_wait=site.commands_may_wait,
        progress=lambda done: bar.update(task, completed=done),
    )


def receipt(output: Output, home: Home, settings: Settings, out: Path | None) -> None:
    """A signed receipt over all history so far; on Kafka, one a partition, a line each."""
    site = Site(home, settings)
    key = read_signing_key(home.signing_key)
    found = []
    for number, log in site.readers():
        folded = load_newest(site.snapshots(number), log) or Folded()
        folded.apply(log.events(folded.offset))
        partition = folded.partition
        seqs = {name: book.seq for name, book in partition.books.items()}
        found.append(
            Signer(key, number).sign(partition.epoch_id, folded.offset, seqs, folded.link, wall_clock())
        )
    if out is None:
        for one in found:
            output.say(one.encoded().decode())
    else:
        try:
            out.write_bytes(b"".join(one.encoded() + b"\n" for one in found))
        except OSError as error:
            raise WrongUse(f"{out} cannot be written: {error.strerror}.") from None
        output.say(f"Wrote {out}. Keep it elsewhere; later: daybook replay verify --against {out}")
    for one in found:
        output.emit(**msgspec.to_builtins(one))
