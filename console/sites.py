"""The home, with everything that it needs to be reachable; and how one is made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from engine.embedded import open_log
from engine.errors import WrongUse
from engine.genesis import begin
from engine.home import Home, HomeFile, HomeInUse, find_home
from engine.log.records import wall_clock
from engine.settings import Settings
from schemas.books import Administrator


@contextmanager
def at_home(settings: Settings) -> Iterator[tuple[Home, Settings]]:
    """The home, and the settings with everything known that follows from it, while this lasts.

    A log that is kept in the bundled PostgreSQL needs that server, so it runs for as long.
    """
    home = find_home(settings)
    if home.read().log == "sqlite" or settings.log_url is not None:
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


def make_home(root: Path, settings: Settings, file: HomeFile) -> bool:
    """Make a home, or finish one that was begun. False where it was there already. Raises HomeInUse."""
    home = Home(root)
    if home.exists():
        return False
    first = administrator(file.user)
    if root.exists() and (not root.is_dir() or any(root.iterdir())) and not home.keys.is_dir():
        raise HomeInUse(f"{root} exists and is not a Daybook home.")
    home.create(file)
    with (
        at_home(settings.model_copy(update={"home": root})) as (home, found),
        open_log(home, found, writer=True) as log,
    ):
        begin(log, [first], wall_clock())
    return True
