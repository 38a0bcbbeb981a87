"""Commands in, from the command line: a new home, files of commands, imports."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal

from console.outcomes import Outcome, outcome_of
from console.output import Output
from console.read_models import bring_up_to_date
from console.sites import administrator, at_home, make_home, open_book
from engine.embedded import InProcess, Submits, connect, digest_of, open_log
from engine.errors import WrongUse
from engine.genesis import begin
from engine.home import NAME, Home, HomeFile, NoHome, find_home
from engine.log.memory import MemoryLog
from engine.log.records import Out, wall_clock
from engine.settings import Settings
from gateway.history import ReadsEvents
from gateway.imports import Imported, import_file
from gateway.lines import read_lines, stamps
from gateway.mapping import Mapping, read_mapping
from schemas.fields import Clock

AT_ONCE = 1_000
StoredLog = Literal["sqlite", "postgres"]
LogKind = Literal["sqlite", "postgres", "memory"]


def init(
    output: Output,
    root: Path,
    settings: Settings,
    file: HomeFile,
    book: str | None,
    *,
    currency: str,
    time_zone: str,
    clock: Clock,
) -> Outcome | None:
    """Make a home, or use the one that is there, and open a book in it."""
    made = make_home(root, settings, file)
    home = Home(root)
    user = settings.actor or home.read().user
    output.say(f"{'Made' if made else 'There is already'} a home in {root}; its administrator is {user}.")
    outcome = None
    if book is not None:
        with (
            at_home(settings.model_copy(update={"home": root})) as (_, found),
            connect(home, found) as connection,
        ):
            outcome = open_book(connection, user, book, currency=currency, time_zone=time_zone, clock=clock)
        output.say(outcome.sentence() if outcome.rejected else f"Opened the book {book} in {currency}.")
    output.emit(home=str(root), made=made, user=user, book=outcome.fields() if outcome else None)
    return outcome


def submit(output: Output, home: Home, settings: Settings, file: str, *, stamp: bool) -> int:
    """Send the commands of an NDJSON file or of standard input; returns how many were rejected."""
    rejected = 0
    user = settings.actor or home.read().user
    with contextlib.ExitStack() as stack:
        stream = _open(stack, file)
        connection = stack.enter_context(connect(home, settings))
        for numbers, outs in _batches(stream, stamps(user, wall_clock) if stamp else None):
            for number, answer in zip(numbers, connection.submit(outs), strict=True):
                outcome = outcome_of(answer)
                rejected += outcome.rejected
                output.emit(line=number, **outcome.fields())
                output.say(f"line {number}  {outcome.sentence()}")
    return rejected


def _open(stack: contextlib.ExitStack, file: str) -> BinaryIO:
    if file == "-":
        return sys.stdin.buffer
    try:
        return stack.enter_context(Path(file).open("rb"))
    except OSError as error:
        raise WrongUse(f"{file} cannot be read: {error.strerror}.") from None


def _batches(
    stream: BinaryIO, stamp: Callable[[bytes, int], bytes] | None
) -> Iterator[tuple[list[int], list[Out]]]:
    """Lines as they come: a full batch, or what there is when the next line would have to be waited for."""
    numbers: list[int] = []
    outs: list[Out] = []
    for number, out in read_lines(stream, stamp):
        numbers.append(number)
        outs.append(out)
        if len(outs) >= AT_ONCE or (stream is sys.stdin.buffer and not _waiting(stream)):
            yield numbers, outs
            numbers, outs = [], []
    if outs:
        yield numbers, outs


def _waiting(stream: BinaryIO) -> bool:
    """Whether another whole line is buffered already, so that reading on will not block."""
    peek = getattr(stream, "peek", None)
    return peek is not None and b"\n" in peek(1)[:1_000_000]


def import_csv(
    output: Output,
    settings: Settings,
    csv: Path,
    mapping_file: Path,
    *,
    log: LogKind | None,
    resume: bool,
    another: bool,
) -> Imported:
    """Take a CSV file into a book of the home, which is made where there is none."""
    mapping = read_mapping(mapping_file)
    if log == "memory":
        if resume:
            raise WrongUse("An import into memory leaves nothing to resume.")
        memory = MemoryLog()
        begin(memory, [administrator("admin")], wall_clock())
        engine = InProcess(memory)
        result = _import(output, csv, mapping, "admin", engine, memory, resume=False, another=False)
        _report(output, result, digest_of(memory), None)
        return result
    with _home_for_import(settings, log) as (home, found):
        user = settings.actor or home.read().user
        with connect(home, found) as connection, open_log(home, found, writer=False) as reader:
            result = _import(output, csv, mapping, user, connection, reader, resume=resume, another=another)
            digest = digest_of(reader)
        if not connection.live:
            bring_up_to_date(output, home, found)
    _report(output, result, digest, home)
    return result


@contextlib.contextmanager
def _home_for_import(settings: Settings, log: StoredLog | None) -> Iterator[tuple[Home, Settings]]:
    """The home to import into, made where there is none. Raises WrongUse where its log is kept elsewhere."""
    try:
        find_home(settings)
    except NoHome:
        root = settings.home or Path.cwd() / NAME
        make_home(root, settings, HomeFile(1, "admin", log=log or "sqlite"))
        settings = settings.model_copy(update={"home": root})
    with at_home(settings) as (home, found):
        kept = home.read().log
        if log is not None and log != kept:
            raise WrongUse(
                f"The log of {home} is kept in {kept}.", "Leave --log out, or name another --home."
            )
        yield home, found


def _import(
    output: Output,
    csv: Path,
    mapping: Mapping,
    user: str,
    engine: Submits,
    reader: ReadsEvents,
    *,
    resume: bool,
    another: bool,
) -> Imported:
    with output.progress() as bar:
        task = bar.add_task("rows", total=None)
        return import_file(
            csv,
            mapping,
            user,
            engine.submit,
            reader,
            resume=resume,
            another=another,
            on_bad=lambda bad: output.say(f"{bad.file} line {bad.line}: {bad.reason}"),
            progress=lambda rows, total: bar.update(task, completed=rows, total=total),
        )


def _report(output: Output, result: Imported, digest: str, home: Home | None) -> None:
    output.table(
        "",
        ["outcome", ">rows"],
        [
            ("accepted", f"{result.accepted:,}"),
            *((reason, f"{count:,}") for reason, count in result.by_reason.items()),
        ],
    )
    output.say(f"{result.rows:,} rows answered. Digest {digest}.")
    if home is not None:
        output.say(f"The state is in {home}. Next: daybook replay verify, daybook replay rebuild.")
    output.emit(
        rows=result.rows,
        accepted=result.accepted,
        rejected=result.rejected,
        by_reason=result.by_reason,
        digest=digest,
        book=result.book,
        accounts=result.accounts,
        setup_by_reason=result.setup_by_reason,
        bad_rows=[{"file": bad.file, "line": bad.line, "reason": bad.reason} for bad in result.bad_rows],
    )
