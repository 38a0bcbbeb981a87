"""The read models as the command line needs them: reachable, and up to date with the log."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from console.choices import book_named
from console.output import Output
from engine.home import Home
from engine.settings import Settings
from engine.site import Site
from projections.database import Database, Session, connect, open_database
from projections.projector import Projector
from projections.queries import books

AT_ONCE = 10_000
SIDE_BY_SIDE = 8


@contextlib.contextmanager
def read_models(output: Output, home: Home, settings: Settings) -> Iterator[Database]:
    """The database of the read models after everything in the log has been projected."""
    with open_database(home.postgres, settings.database_url) as database:
        project(output, home, settings, database)
        yield database


@contextlib.contextmanager
def book_session(
    output: Output, home: Home, settings: Settings, book: str | None
) -> Iterator[tuple[Session, str]]:
    """A session, and the book that is meant: the only one, where none is named."""
    with read_models(output, home, settings) as database, connect(database.dsn) as session:
        yield session, book_named(book, books(session))


def bring_up_to_date(output: Output, home: Home, settings: Settings) -> int:
    """Project what is new; returns how many events that were."""
    with open_database(home.postgres, settings.database_url) as database:
        return project(output, home, settings, database)


def project(output: Output, home: Home, settings: Settings, database: Database) -> int:
    """Apply what the read models lack. A projector that runs beside does no harm: one of the two yields."""
    site = Site(home, settings)
    with output.progress() as bar:
        task = bar.add_task("projecting", total=None)

        def one(partition: int) -> int:
            done = 0
            with (
                site.read(partition) as log,
                contextlib.closing(Projector(database.dsn, log, partition)) as projector,
            ):
                while applied := projector.step(AT_ONCE):
                    done += applied
                    bar.advance(task, applied)
            return done

        if site.count == 1:
            return one(0)
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:  # most of the time each waits for the cluster
            return sum(pool.map(one, site.partitions))
