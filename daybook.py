"""The command line: each subcommand is one function that finds the home and calls what does the work.

What a subcommand needs is imported when it runs, so that `--help` and `submit` need not wait for the rest.
Exit statuses: console/ending.py.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from console import (
    alerts_commands,
    approvals_commands,
    case_commands,
    currencies_commands,
    dev_commands,
    documents_commands,
    ending,
    flags_commands,
    keys_commands,
    ledger_commands,
    lists_commands,
    orders_commands,
    payment_commands,
    reviews_commands,
    rules_commands,
    topics_commands,
    webhooks_commands,
)
from console.ending import CHECK_FAILED, DONE, SOME_REJECTED
from console.limits_commands import register as register_limits
from console.options import AccountId, AsUser, BookOption, By, Clock, HomeOption, Json, LogKind, StoredLog
from console.start import in_home, output_to, settings_for

app = typer.Typer(
    name="daybook",
    help="An event-sourced transaction processing engine and the banking back office on top of it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
replay = typer.Typer(help="Prove what happened: fold the log again and compare.", no_args_is_help=True)
app.add_typer(replay, name="replay")
approvals_commands.register(app)
case_commands.register(app)
currencies_commands.register(app)
ledger_commands.register(app)
orders_commands.register(app)
payment_commands.register(app)
reviews_commands.register(app)
rules_commands.register(app)
lists_commands.register(app)
documents_commands.register(app)
topics_commands.register(app)
webhooks_commands.register(app)
flags_commands.register(app)
alerts_commands.register(app)
keys_commands.register(app)
dev_commands.register(app)
run = typer.Typer(hidden=True, help="The processes that `up` supervises.")
app.add_typer(run, name="run")


@run.callback()
def operate(context: typer.Context) -> None:
    """Whatever runs says what it does, and counts."""
    if context.invoked_subcommand is not None and "--help" not in sys.argv:
        from engine import operating

        operating.begin(context.invoked_subcommand, settings_for(None))


register_limits(app)


def _exit(status: int) -> NoReturn:
    raise typer.Exit(status)


@app.command()
def init(
    book: Annotated[str | None, typer.Option("--book", help="Open a book of this name too.")] = None,
    user: Annotated[str, typer.Option(help="The first administrator's user.")] = "admin",
    currency: Annotated[str, typer.Option(help="The book's reporting currency.")] = "EUR",
    time_zone: Annotated[str, typer.Option(help="The book's time zone.")] = "UTC",
    clock: Annotated[Clock, typer.Option(help="commanded is for imports and simulation.")] = "wall",
    log: Annotated[StoredLog, typer.Option(help="Where the log is kept.")] = "sqlite",
    partitions: Annotated[
        int, typer.Option(min=1, max=4096, help="On Kafka: of each topic. It is chosen once.")
    ] = 32,
    replication: Annotated[int, typer.Option(min=1, max=9, help="On Kafka: copies of each topic.")] = 3,
    second_admin: Annotated[
        str,
        typer.Option(
            help="The second administrator's user; left empty for demos, which then do without four eyes."
        ),
    ] = "admin2",
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Make a home: its keys, the log with the system book, a first administrator; and a book."""
    from console import starting
    from console.sites import Topics

    outcome = starting.init(
        output_to(json),
        settings_for(home),
        user=user,
        log=log,
        book=book,
        currency=currency,
        time_zone=time_zone,
        clock=clock,
        second_admin=second_admin,
        topics=Topics(partitions, replication),
    )
    _exit(SOME_REJECTED if outcome is not None and outcome.rejected else DONE)


@app.command("demo")
def demo_(
    seed: Annotated[int, typer.Option(help="The same seed gives the same bank, to the digest.")] = 1,
    parties: Annotated[int, typer.Option(min=10, max=100_000)] = 2_000,
    days: Annotated[int, typer.Option(min=1, max=366)] = 30,
    log: Annotated[LogKind, typer.Option(help="Where the log is kept.")] = "sqlite",
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """A small bank for a month: decided, projected, verified; in a home of its own, made anew each time."""
    from console import demo

    ok = demo.run(output_to(json), settings_for(home), seed=seed, parties=parties, days=days, log=log)
    _exit(DONE if ok else CHECK_FAILED)


@app.command()
def up(home: HomeOption = None, json: Json = False) -> None:
    """Run the engine, the projector, the follower and the relay until Ctrl-C."""
    from console import processes

    _exit(in_home(processes.up, json, home))


@app.command()
def status(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=0.0, help="Seconds between two looks, with --follow.")] = 2.0,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Show who owns what, how far behind everybody is, how fast it goes, and what is not well."""
    from console import status_view

    _exit(DONE if in_home(status_view.show, json, home, follow=follow, every_s=every) else CHECK_FAILED)


@app.command()
def submit(
    file: Annotated[str, typer.Argument(help="NDJSON commands, one a line; - for standard input.")],
    stamp: Annotated[
        bool,
        typer.Option(
            "--stamp",
            help="To try things out: fill in actor, issued_at_ms and id where left out, anew each time.",
        ),
    ] = False,
    as_user: AsUser = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Send commands; prints one outcome a line."""
    from console import sending

    rejected = in_home(sending.submit, json, home, file, stamp=stamp, named=as_user)
    _exit(SOME_REJECTED if rejected else DONE)


@app.command("import")
def import_(
    csv: Annotated[Path, typer.Argument(help="The file; gzip is seen by its content.")],
    mapping: Annotated[Path, typer.Option(help="YAML that says what its columns mean.")],
    log: Annotated[
        LogKind | None, typer.Option(help="Where the log is kept, in a home that is made here.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on behind the last row that was answered.")
    ] = False,
    another: Annotated[
        bool, typer.Option("--another", help="Into a book that is open already, beside what it holds.")
    ] = False,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Take a CSV file into a book: every row gets an outcome."""
    from console import importing

    result = importing.import_csv(
        output_to(json), settings_for(home), csv, mapping, log=log, resume=resume, another=another
    )
    _exit(SOME_REJECTED if result.rejected else DONE)


@app.command()
def events(
    follow: Annotated[bool, typer.Option("--follow", help="Wait for more.")] = False,
    from_seq: Annotated[int, typer.Option("--from", help="Start at this seq.")] = 1,
    kind: Annotated[str | None, typer.Option("--type", help="Only events of this type.")] = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """The events of a book, as they stand in the log."""
    from console import feeds

    in_home(feeds.events, json, home, book, from_seq=from_seq, kind=kind, follow=follow)


@app.command()
def outcomes(
    follow: Annotated[bool, typer.Option("--follow", help="Wait for more.")] = False,
    from_seq: Annotated[int, typer.Option("--from", help="Start at this seq of a book.")] = 1,
    book: Annotated[
        str | None, typer.Option("--book", help="Only commands that this book has answered.")
    ] = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """What came of each command: the public record, with nothing that only staff may know."""
    from console import published

    in_home(published.outcomes, json, home, book, from_seq=from_seq, follow=follow)


@app.command()
def account(id: AccountId, book: BookOption = None, home: HomeOption = None, json: Json = False) -> None:
    """An account: booked, held, available."""
    from console import views

    _exit(DONE if in_home(views.account, json, home, book, id) else CHECK_FAILED)


@app.command()
def statement(
    id: AccountId,
    first: Annotated[str | None, typer.Option("--from", help="First day, YYYY-MM-DD.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day, YYYY-MM-DD.")] = None,
    by: Annotated[By, typer.Option(help="Which of its two dates orders the postings.")] = "booking-date",
    period: Annotated[str | None, typer.Option(help="Figures of a month instead, YYYY-MM.")] = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """An account's statement: opening balance, postings with the balance after each, closing balance; of a
    period in figures, with the interest and fees in it.
    """
    from console import ledger, views

    if period is not None:
        found = in_home(ledger.period_statement, json, home, book, id, period, first or last)
        _exit(DONE if found else CHECK_FAILED)
    found = in_home(views.statement, json, home, book, id, first, last, by)
    _exit(DONE if found else CHECK_FAILED)


@app.command()
def audit(
    actor: Annotated[str | None, typer.Option(help="What this user or system did.")] = None,
    entity: Annotated[str | None, typer.Option(help="What happened to this account, party, user...")] = None,
    command: Annotated[str | None, typer.Option(help="What came of this command id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 50,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """The audit log: who did what when."""
    from console import views

    in_home(views.audit, json, home, book, actor=actor, entity=entity, command=command, limit=limit)


@app.command("crossbook")
def crossbook_(
    payment: Annotated[str | None, typer.Argument(help="A payment's name; all on their way without.")] = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Payments between books: what is on its way and for how long, or one with both its sides."""
    from console import crossbook

    _exit(DONE if in_home(crossbook.show, json, home, payment, book) else CHECK_FAILED)


@app.command("adopt")
def adopt_(
    commands: Annotated[
        Literal["mirrored", "anew"] | None,
        typer.Option(help="Kafka: the commands topic is a copy in the same order, or was made anew."),
    ] = None,
    reason: Annotated[str, typer.Option(help="For whoever reads the log later.")] = "",
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Although receipts vouch for events that are not there.")
    ] = False,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Go on in a log that was restored from a backup, mirrored to another cluster or made anew."""
    from console import adopting

    in_home(adopting.run, json, home, commands=commands, reason=reason, accept_loss=accept_loss)


@app.command("archive")
def archive_(
    trim: Annotated[
        bool, typer.Option("--trim", help="Then remove from Kafka what is archived and no start needs.")
    ] = False,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Copy what is signed into the archive at DAYBOOK_ARCHIVE, which replay reads where Kafka ends."""
    from console import archiving

    in_home(archiving.run, json, home, trim=trim)


@app.command("doctor")
def doctor_(home: HomeOption = None, json: Json = False) -> None:
    """What is installed and reachable, and what to do about what is not."""
    from console import doctor

    _exit(DONE if doctor.run(output_to(json), settings_for(home)) else CHECK_FAILED)


@replay.command()
def verify(
    against: Annotated[
        list[Path] | None, typer.Option(help="A receipt that was kept elsewhere; may be given again.")
    ] = None,
    read_models: Annotated[bool, typer.Option(help="Compare every row of the read models too.")] = True,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Fold the log and check everything that must hold; prints the digest of the state."""
    from console import replays

    ok = in_home(replays.verify, json, home, against or [], read_models=read_models)
    _exit(DONE if ok else CHECK_FAILED)


@replay.command()
def rebuild(home: HomeOption = None, json: Json = False) -> None:
    """Make the read models anew beside the live ones, compare, and swap."""
    from console import replays

    _exit(DONE if in_home(replays.rebuild, json, home) else CHECK_FAILED)


@replay.command("as-of")
def as_of(
    at: Annotated[str | None, typer.Option(help="As known at this time: 2026-01-31T12:00:00Z.")] = None,
    seq: Annotated[int | None, typer.Option(help="As known after this event.", min=1)] = None,
    value_date: Annotated[str | None, typer.Option(help="By value date: YYYY-MM-DD.")] = None,
    account: Annotated[str | None, typer.Option(help="Only this account.")] = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Balances as they were known at a time or after an event, booked or by value date."""
    from console import replays

    found = in_home(replays.as_of, json, home, book, at=at, seq=seq, value_date=value_date, account=account)
    _exit(DONE if found else CHECK_FAILED)


@replay.command()
def redecide(home: HomeOption = None, json: Json = False) -> None:
    """Run every command again and compare the events byte for byte."""
    from console import replays

    _exit(DONE if in_home(replays.redecide, json, home) else CHECK_FAILED)


@replay.command()
def receipt(
    out: Annotated[Path | None, typer.Option(help="Write it there instead of printing it.")] = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """A signed receipt over all history so far, to be kept elsewhere."""
    from console import replays

    in_home(replays.receipt, json, home, out)


@run.command("engine")
def run_engine() -> None:
    """Decide what comes over the socket."""
    from console import processes

    in_home(processes.run_engine, False, None)


@run.command("projector")
def run_projector() -> None:
    """Keep the read models up with the log."""
    from console import processes

    in_home(processes.run_projector, False, None)


@run.command("follower")
def run_follower() -> None:
    """Write snapshots, sign links, hand out receipts."""
    from console import processes

    in_home(processes.run_follower, False, None)


@run.command("relay")
def run_relay() -> None:
    """Bring what one book has recorded of a payment to the other."""
    from console import processes

    in_home(processes.run_relay, False, None)


@run.command("publisher")
def run_publisher() -> None:
    """Publish the outcome of each command, for a home on Kafka."""
    from console import processes

    in_home(processes.run_publisher, False, None)


@run.command("detection")
def run_detection() -> None:
    """Derive alerts from the events: typologies, and what rules have found."""
    from console import processes

    in_home(processes.run_detection, False, None)


@run.command("triage")
def run_triage() -> None:
    """Group alerts into cases, and look over all books, in one process."""
    from console import processes

    in_home(processes.run_triage, False, None)


@run.command("stream")
def run_stream() -> None:
    """Group alerts into cases, and look over all books, as one of the stream workers on Kafka."""
    from console import processes

    in_home(processes.run_stream, False, None)


@run.command("webhooks")
def run_webhooks() -> None:
    """Post alerts to the endpoints that want them."""
    from console import processes

    in_home(processes.run_webhooks, False, None)


@run.command("rail")
def run_rail() -> None:
    """Answer for a rail that is only simulated."""
    from console import processes

    in_home(processes.run_rail, False, None)


def main() -> None:
    """Run the command line."""
    os.umask(0o077)  # what a home holds is its owner's
    sys.exit(ending.run(lambda: app(prog_name="daybook"), json="--json" in sys.argv))


if __name__ == "__main__":
    main()
