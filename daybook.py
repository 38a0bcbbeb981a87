"""The command line: each subcommand is one function that finds the home and calls what does the work.

Exit status: 0 done, 1 a check failed, 2 wrong use, 3 done but some commands were rejected, 4 outcome unknown.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Concatenate, NoReturn, ParamSpec, TypeVar

import typer
from pydantic import ValidationError

from console import demo as demo_run
from console import doctor as doctor_run
from console import feeds, replays, sending, views
from console.output import Output
from console.sending import LogKind, StoredLog
from console.sites import at_home
from engine.errors import DaybookError, OutcomeUnknown
from engine.home import NAME, Home, HomeFile
from engine.settings import Settings
from projections.answers import By
from schemas.fields import Clock

DONE, CHECK_FAILED, WRONG_USE, SOME_REJECTED, UNKNOWN = range(5)

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
run = typer.Typer(hidden=True, help="The processes that `up` supervises.")
app.add_typer(run, name="run")

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, for machines.")]
BookOption = Annotated[
    str | None, typer.Option("--book", help="The book; not needed where there is only one.")
]
HomeOption = Annotated[
    Path | None, typer.Option("--home", help=f"The home to use or make [default: nearest {NAME}].")
]
P = ParamSpec("P")
T = TypeVar("T")


def _settings(home: Path | None = None) -> Settings:
    settings = Settings()
    return settings.model_copy(update={"home": home}) if home is not None else settings


def _at_home(
    work: Callable[Concatenate[Output, Home, Settings, P], T], json: bool, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Do the work in the nearest home."""
    with at_home(_settings()) as (home, settings):
        return work(Output(json=json), home, settings, *args, **kwargs)


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
    json: Json = False,
) -> None:
    """Make a home: its keys, the log with the system book, a first administrator; and a book."""
    output, settings = Output(json=json), _settings()
    root = settings.home or Path.cwd() / NAME
    outcome = sending.init(
        output,
        root,
        settings,
        HomeFile(1, user, log=log),
        book,
        currency=currency,
        time_zone=time_zone,
        clock=clock,
    )
    _exit(SOME_REJECTED if outcome is not None and outcome.rejected else DONE)


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="The same seed gives the same bank, to the digest.")] = 1,
    parties: Annotated[int, typer.Option(min=10, max=100_000)] = 2_000,
    days: Annotated[int, typer.Option(min=1, max=366)] = 30,
    log: Annotated[LogKind, typer.Option(help="Where the log is kept.")] = "sqlite",
    json: Json = False,
) -> None:
    """A small bank for a month: decided, projected, verified; in a home of its own, made anew each time."""
    ok = demo_run.run(Output(json=json), _settings(), seed=seed, parties=parties, days=days, log=log)
    _exit(DONE if ok else CHECK_FAILED)


@app.command()
def up(json: Json = False) -> None:
    """Run the engine, the projector and the follower until Ctrl-C."""
    _exit(_at_home(feeds.up, json))


@app.command()
def submit(
    file: Annotated[str, typer.Argument(help="NDJSON commands, one a line; - for standard input.")],
    stamp: Annotated[
        bool, typer.Option("--stamp", help="Fill in actor, issued_at_ms and id where a line leaves them out.")
    ] = False,
    json: Json = False,
) -> None:
    """Send commands; prints one outcome a line."""
    rejected = _at_home(sending.submit, json, file, stamp=stamp)
    _exit(SOME_REJECTED if rejected else DONE)


@app.command("import")
def import_(
    csv: Annotated[Path, typer.Argument(help="The file; gzip is seen by its content.")],
    mapping: Annotated[Path, typer.Option(help="YAML that says what its columns mean.")],
    home: HomeOption = None,
    log: Annotated[
        LogKind | None, typer.Option(help="Where the log is kept, in a home that is made here.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on behind the last row that was answered.")
    ] = False,
    another: Annotated[
        bool, typer.Option("--another", help="Into a book that is open already, beside what it holds.")
    ] = False,
    json: Json = False,
) -> None:
    """Take a CSV file into a book: every row gets an outcome."""
    settings = _settings(home)
    result = sending.import_csv(
        Output(json=json), settings, csv, mapping, log=log, resume=resume, another=another
    )
    _exit(SOME_REJECTED if result.rejected else DONE)


@app.command()
def events(
    follow: Annotated[bool, typer.Option("--follow", help="Wait for more.")] = False,
    from_seq: Annotated[int, typer.Option("--from", help="Start at this seq.")] = 1,
    kind: Annotated[str | None, typer.Option("--type", help="Only events of this type.")] = None,
    book: BookOption = None,
    json: Json = False,
) -> None:
    """The events of a book, as they stand in the log."""
    _at_home(feeds.events, json, book, from_seq=from_seq, kind=kind, follow=follow)


@app.command()
def account(id: str, book: BookOption = None, json: Json = False) -> None:
    """An account: booked, held, available."""
    _exit(DONE if _at_home(views.account, json, book, id) else CHECK_FAILED)


@app.command()
def statement(
    id: str,
    first: Annotated[str | None, typer.Option("--from", help="First day, YYYY-MM-DD.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day, YYYY-MM-DD.")] = None,
    by: Annotated[By, typer.Option(help="Which of its two dates orders the postings.")] = "booking-date",
    book: BookOption = None,
    json: Json = False,
) -> None:
    """An account's statement: opening balance, postings with the balance after each, closing balance."""
    found = _at_home(views.statement, json, book, id, first, last, by)
    _exit(DONE if found else CHECK_FAILED)


@app.command()
def audit(
    actor: Annotated[str | None, typer.Option(help="What this user or system did.")] = None,
    entity: Annotated[str | None, typer.Option(help="What happened to this account, party, user...")] = None,
    command: Annotated[str | None, typer.Option(help="What came of this command id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 50,
    book: BookOption = None,
    json: Json = False,
) -> None:
    """The audit log: who did what when."""
    _at_home(views.audit, json, book, actor=actor, entity=entity, command=command, limit=limit)


@app.command()
def doctor(json: Json = False) -> None:
    """What is installed and reachable, and what to do about what is not."""
    _exit(DONE if doctor_run.run(Output(json=json), _settings()) else CHECK_FAILED)


@replay.command()
def verify(
    against: Annotated[
        list[Path] | None, typer.Option(help="A receipt that was kept elsewhere; may be given again.")
    ] = None,
    read_models: Annotated[bool, typer.Option(help="Compare every row of the read models too.")] = True,
    json: Json = False,
) -> None:
    """Fold the log and check everything that must hold; prints the digest of the state."""
    ok = _at_home(replays.verify, json, against or [], read_models=read_models)
    _exit(DONE if ok else CHECK_FAILED)


@replay.command()
def rebuild(json: Json = False) -> None:
    """Make the read models anew beside the live ones, compare, and swap."""
    _exit(DONE if _at_home(replays.rebuild, json) else CHECK_FAILED)


@replay.command("as-of")
def as_of(
    at: Annotated[str | None, typer.Option(help="As known at this time: 2026-01-31T12:00:00Z.")] = None,
    seq: Annotated[int | None, typer.Option(help="As known after this event.", min=1)] = None,
    value_date: Annotated[str | None, typer.Option(help="By value date: YYYY-MM-DD.")] = None,
    account: Annotated[str | None, typer.Option(help="Only this account.")] = None,
    book: BookOption = None,
    json: Json = False,
) -> None:
    """Balances as they were known at a time or after an event, booked or by value date."""
    found = _at_home(replays.as_of, json, book, at=at, seq=seq, value_date=value_date, account=account)
    _exit(DONE if found else CHECK_FAILED)


@replay.command()
def redecide(json: Json = False) -> None:
    """Run every command again and compare the events byte for byte."""
    _exit(DONE if _at_home(replays.redecide, json) else CHECK_FAILED)


@replay.command()
def receipt(
    out: Annotated[Path | None, typer.Option(help="Write it there instead of printing it.")] = None,
    json: Json = False,
) -> None:
    """A signed receipt over all history so far, to be kept elsewhere."""
    _at_home(replays.receipt, json, out)


@run.command("engine")
def run_engine() -> None:
    """Decide what comes over the socket."""
    _at_home(feeds.run_engine, False)


@run.command("projector")
def run_projector() -> None:
    """Keep the read models up with the log."""
    _at_home(feeds.run_projector, False)


@run.command("follower")
def run_follower() -> None:
    """Write snapshots, sign links, hand out receipts."""
    _at_home(feeds.run_follower, False)


def main() -> None:
    """Run the command line; whatever goes wrong is one sentence and an exit status."""
    os.umask(0o077)  # what a home holds is its owner's
    output = Output(json="--json" in sys.argv)
    try:
        app(standalone_mode=True)
    except OutcomeUnknown as error:
        output.fail(str(error))
        sys.exit(UNKNOWN)
    except DaybookError as error:
        output.fail(str(error))
        sys.exit(error.status)
    except ValidationError as error:
        problems = "; ".join(
            f"DAYBOOK_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()
        )
        output.fail(f"A setting is wrong: {problems}.")
        sys.exit(WRONG_USE)
    except (BrokenPipeError, KeyboardInterrupt):
        sys.exit(130)
    except Exception as error:
        if Settings().debug:
            raise
        output.fail(
            f"This is a bug in Daybook: {type(error).__name__}: {error}. DAYBOOK_DEBUG=1 shows where."
        )
        sys.exit(CHECK_FAILED)


if __name__ == "__main__":
    main()
