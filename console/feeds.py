"""Streams and processes: the events of a book, `daybook up`, and the processes that it supervises."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterable

import msgspec
import orjson

from book.state import SYSTEM_BOOK
from console.choices import the_only
from console.output import Output
from console.read_models import AT_ONCE
from engine.client import EngineClient
from engine.embedded import open_log
from engine.errors import LogLocked, WrongUse
from engine.follower import Follower
from engine.home import Home
from engine.log.records import BEFORE_FIRST, Record
from engine.receipts import Signer, read_signing_key
from engine.service import serve
from engine.settings import Settings
from engine.supervisor import Child, Supervisor, until_told
from projections.database import open_database
from projections.projector import Projector
from schemas.catalogue import EVENT_TYPES
from schemas.message import ENVELOPE

IDLE_S = 0.05


class _Head(msgspec.Struct):
    type: str
    seq: int


_decode_head = msgspec.json.Decoder(_Head).decode


def events(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    *,
    from_seq: int,
    kind: str | None,
    follow: bool,
) -> None:
    """Print a book's events as they stand in the log."""
    if kind is not None and kind not in EVENT_TYPES:
        raise WrongUse(f"There is no event type {kind}.", f"The types are: {', '.join(sorted(EVENT_TYPES))}.")
    with open_log(home, settings, writer=False) as log:
        if book is None:
            book = only_book(log.events(BEFORE_FIRST))
        key, after = book.encode(), BEFORE_FIRST
        while True:
            for record in log.events(after):
                after = record.offset
                if record.key != key:
                    continue
                head = _decode_head(record.value)
                if head.seq >= from_seq and kind in (None, head.type):
                    _print_event(output, record)
            if not follow:
                return
            log.wait_events(after, IDLE_S * 20)


def only_book(records: Iterable[Record]) -> str:
    """The one book of a log. Raises WrongUse where there is none, or more than one."""
    opened = (record.key.decode() for record in records if _decode_head(record.value).type == "BookOpened")
    return the_only(sorted(opened))


def _print_event(output: Output, record: Record) -> None:
    event = orjson.loads(record.value)
    if output.json:
        output.emit(**event)
        return
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(event["at"] / 1000))
    body = {name: value for name, value in event.items() if name not in ENVELOPE and name != "type"}
    by = event["actor"] or ("timer" if event["timer"] else SYSTEM_BOOK)
    output.say(f"{event['seq']:>8}  {at}  {event['type']}  {by}  {orjson.dumps(body).decode()}")


def up(output: Output, home: Home, settings: Settings) -> int:
    """Run engine, projector and follower until Ctrl-C."""
    home.read()
    client = EngineClient(home.socket) if home.socket.exists() else None
    if client is not None and client.answers():
        raise LogLocked(f"An engine runs for {home} already.")
    with open_database(home.postgres, settings.database_url) as database:
        env = {"DAYBOOK_HOME": str(home.root.resolve()), "DAYBOOK_DATABASE_URL": database.dsn}
        if settings.log_url is not None:
            env["DAYBOOK_LOG_URL"] = settings.log_url
        supervisor = Supervisor(
            [
                Child("engine", ["run", "engine"], env),
                Child("projector", ["run", "projector"], env),
                Child("follower", ["run", "follower"], env),
            ],
            output.say,
        )
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: supervisor.stop())
        output.say(f"Engine, projector and follower of {home}; Ctrl-C stops them.")
        status = supervisor.run()
    output.say("Stopped.")
    return status


def run_engine(output: Output, home: Home, settings: Settings) -> None:
    """The engine's process."""
    serve(home, settings)


def run_projector(output: Output, home: Home, settings: Settings) -> None:
    """The projector's process."""
    told, _ = until_told()
    with (
        open_database(home.postgres, settings.database_url) as database,
        open_log(home, settings, writer=False) as log,
        contextlib.closing(Projector(database.dsn, log)) as projector,
    ):
        while not told.is_set():
            if projector.step(AT_ONCE) == 0:
                told.wait(IDLE_S)


def run_follower(output: Output, home: Home, settings: Settings) -> None:
    """The follower's process."""
    told, _ = until_told()
    signer = Signer(read_signing_key(home.signing_key))
    with open_log(home, settings, writer=False) as log:
        Follower(log, home.snapshots, home.receipts, signer).run(told)
