"""The home, with everything that it needs to be reachable; and how one is made."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from engine.errors import LogCorrupt, WrongUse
from engine.genesis import begin
from engine.home import Home, HomeFile, HomeInUse, find_home
from engine.log.records import BEFORE_FIRST, wall_clock
from engine.settings import Settings
from engine.site import OpenLog, Site
from schemas.books import Administrator

AT_ONCE: Final = 8
"""Partitions that are begun at the same time."""


class Topics(msgspec.Struct, frozen=True):
    """How the topics of a site are made, once. replication: a bank's cluster has three brokers."""

    partitions: int = 32
    replication: int = 3


@contextmanager
def at_home(settings: Settings) -> Iterator[tuple[Home, Settings]]:
    """The home, and the settings with everything known that follows from it, while this lasts.

    A log that is kept in the bundled PostgreSQL needs that server, so it runs for as long.
    """
    home = find_home(settings)
    if home.read().log != "postgres" or settings.log_url is not None:
        yield home, settings
        return
    from projections.database import open_database  # noqa: PLC0415 - psycopg, for whom it concerns

    with open_database(home.postgres, None) as database:
        yield home, settings.model_copy(update={"log_url": database.dsn})


def administrator(user: str) -> Administrator:
    """The person and user that a new home is begun with. Raises WrongUse where that is no name for a user."""
    try:
        return msgspec.convert({"person": f"person-{user}"[:64], "user": user}, Administrator)
    except msgspec.ValidationError:
        raise WrongUse(
            f"{user!r} cannot be a user's id.",
            "Take 1 to 64 letters, digits and . _ : @ / + - and begin with a letter or digit.",
        ) from None


def make_home(root: Path, settings: Settings, file: HomeFile, topics: Topics | None = None) -> bool:
    """Make a home, or finish one that was begun. False where it was there already.

    topics: how those of a home on Kafka are made, where they are not there yet.
    Raises HomeInUse, also where the home that is there is another than what was asked for.
    """
    home = Home(root)
    if home.exists():
        there = home.read()
        _same(root, there, file, topics)
        if there.log == "kafka":
            _begin(home, settings.model_copy(update={"home": root}), topics)  # what was interrupted
        return False
    administrator(file.user)  # refused before anything is made
    if root.exists() and (not root.is_dir() or any(root.iterdir())) and not home.keys.is_dir():
        raise HomeInUse(f"{root} exists and is not a Daybook home.")
    if file.log == "kafka":
        from engine.kafka_settings import kafka_of  # noqa: PLC0415 - the client, for whom it concerns

        kafka_of(settings)  # a cluster that is not named leaves nothing half made
    home.create(file)
    with at_home(settings.model_copy(update={"home": root})) as (home, found):
        _begin(home, found, topics)
    return True


def _same(root: Path, there: HomeFile, asked: HomeFile, topics: Topics | None) -> None:
    """Refuse what cannot be changed any more. What is asked for by default is taken as not asked for."""
    new = "To have another home, say where with --home or DAYBOOK_HOME."
    if asked.log not in {there.log, HomeFile(1, asked.user).log}:
        raise HomeInUse(f"There is already a home in {root}, and its log is in {there.log}.", new)
    count = topics.partitions if topics else Topics().partitions
    if there.partitions and count not in {there.partitions, Topics().partitions}:
        raise HomeInUse(f"There is already a home in {root}, and it has {there.partitions} partitions.", new)


def _begin(home: Home, settings: Settings, topics: Topics | None) -> None:
    """Write the system book into every partition that is empty. A partition that is begun is only read: its
    engine is not disturbed.
    """
    site = Site(home, settings)
    first = administrator(home.read().user)
    if site.kind == "kafka":
        from engine.log.topic_settings import create  # noqa: PLC0415 - the client, for whom it concerns

        chosen = topics or Topics()
        create(site.kafka, chosen.partitions, chosen.replication)
        home.record_partitions(site.count)
        with ThreadPoolExecutor(AT_ONCE) as pool:  # each waits for the cluster, one behind the other
            list(pool.map(lambda number: _begin_partition(site, number, first), site.partitions))
    else:
        with site.write() as log:
            begin(log, [first], wall_clock())


def _begin_partition(site: Site, number: int, first: Administrator) -> None:
    with site.read(number) as log:
        if _begun(log):
            return
    with site.write(number) as log:
        begin(log, [first], wall_clock())


def _begun(log: OpenLog) -> bool:
    try:
        return next(iter(log.events(BEFORE_FIRST)), None) is not None
    except (
        LogCorrupt
    ):  # its beginning was removed (`daybook archive --trim`), or is lost: the engine says which
        return True
