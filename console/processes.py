"""`daybook up`, and the processes that it supervises."""

from __future__ import annotations

import contextlib
import signal

import psycopg

from console.output import Output
from console.read_models import AT_ONCE
from engine.client import EngineClient
from engine.embedded import open_log
from engine.errors import LogLocked
from engine.follower import Follower
from engine.home import Home
from engine.receipts import Signer, read_signing_key
from engine.service import serve
from engine.settings import Settings
from engine.supervisor import Child, Supervisor, until_told
from projections.database import DatabaseUnavailable, first_line, open_database
from projections.projector import Projector

IDLE_S = 0.05


def up(output: Output, home: Home, settings: Settings) -> int:
    """Run engine, projector and follower until Ctrl-C."""
    client = EngineClient(home.socket)
    if client.answers():
        raise LogLocked(
            f"An engine runs for {home} already.", "Stop it with Ctrl-C where it runs, or use it."
        )

    def say(text: str) -> None:
        output.say(text)
        output.emit(said=text)

    # Every process opens the database itself: who is left last stops a bundled server, also after a kill.
    with open_database(home.postgres, settings.database_url):
        env = {"DAYBOOK_HOME": str(home.root.resolve())}
        supervisor = Supervisor(
            [
                Child("engine", ["run", "engine"], env, essential=True),
                Child("projector", ["run", "projector"], env),
                Child("follower", ["run", "follower"], env),
            ],
            say,
            ready=client.answers,
        )
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: supervisor.stop())
        say(f"Starting engine, projector and follower of {home}; Ctrl-C stops them.")
        status = supervisor.run()
    say("Stopped.")
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
        try:
            while not told.is_set():
                if projector.step(AT_ONCE) == 0:
                    told.wait(IDLE_S)
        except psycopg.Error as error:
            raise DatabaseUnavailable(
                f"The database of the read models failed: {first_line(error)}."
            ) from error


def run_follower(output: Output, home: Home, settings: Settings) -> None:
    """The follower's process."""
    told, _ = until_told()
    signer = Signer(read_signing_key(home.signing_key))
    with open_log(home, settings, writer=False) as log:
        Follower(log, home.snapshots, home.receipts, signer).run(told)
