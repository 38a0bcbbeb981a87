"""An import from the command line: the home it goes to, the log it is read back from, and what is shown."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from console.options import LogKind, StoredLog
from console.output import Output
from console.read_models import bring_up_to_date
from console.sites import Topics, administrator, at_home, make_home
from engine.embedded import InProcess, Submits, connect, digest_of, site_digest
from engine.errors import WrongUse
from engine.genesis import begin
from engine.home import NAME, Home, HomeFile, NoHome, find_home
from engine.log.memory import MemoryLog
from engine.log.records import wall_clock
from engine.settings import Settings
from engine.site import Site
from gateway.history import ReadsEvents
from gateway.imports import Imported, import_file
from gateway.mapping import Mapping, read_mapping


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
    with _home_for_import(settings, log) as (home, found, made):
        user = settings.actor or home.read().user
        site = Site(home, found)
        with connect(home, found, founding=made) as connection:
            with site.read_book(mapping.book.id) as reader:
                result = _import(
                    output, csv, mapping, user, connection, reader, resume=resume, another=another
                )
            digest = site_digest(site)
        if not connection.live:
            bring_up_to_date(output, home, found)
    _report(output, result, digest, home)
    return result


@contextlib.contextmanager
def _home_for_import(settings: Settings, log: StoredLog | None) -> Iterator[tuple[Home, Settings, bool]]:
    """The home to import into, and whether it was made here. Raises WrongUse where its log is elsewhere."""
    made = False
    try:
        find_home(settings)
    except NoHome:
        root = settings.home or Path.cwd() / NAME
        made = make_home(root, settings, HomeFile(1, "admin", log=log or "sqlite"), _topics(settings, log))
        settings = settings.model_copy(update={"home": root})
    with at_home(settings) as (home, found):
        kept = home.read().log
        if log is not None and log != kept:
            raise WrongUse(
                f"The log of {home} is kept in {kept}.", "Leave --log out, or name another --home."
            )
        yield home, found, made


def _topics(settings: Settings, log: StoredLog | None) -> Topics | None:
    """As many copies of each as the cluster has brokers for, up to three."""
    if log != "kafka":
        return None
    from engine.kafka_settings import kafka_of  # noqa: PLC0415 - the client, for whom it concerns

    return Topics(replication=min(3, kafka_of(settings).brokers()))


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
