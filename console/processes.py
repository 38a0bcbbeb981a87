"""`daybook up`, and the processes that it supervises."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
from collections.abc import Callable, Iterator, Sequence

import msgspec

from console import projecting, streaming, webhooks
from console.detecting import detect
from console.following import follow
from console.output import Output
from console.publisher import publish
from engine import operating
from engine.client import EngineClient
from engine.embedded import sending
from engine.errors import LogLocked, WrongUse
from engine.home import Home, NoHome
from engine.log.records import Out
from engine.proof import proof
from engine.reactor import Host, Reactor
from engine.service import serve
from engine.settings import Settings
from engine.site import Site
from engine.supervisor import Child, Supervisor, until_told
from gateway.relay import RELAY, Relay
from gateway.simulated_rail import Conduct, SimulatedRail
from projections.database import open_database

IDLE_S = 0.05
READY_S = 2.0


def up(output: Output, home: Home, settings: Settings) -> int:
    """Run engine, projector, follower and relay until Ctrl-C."""
    site = Site(home, settings)
    with contextlib.nullcontext() if site.kind == "kafka" else _alone(home):
        return _up(output, home, settings, site)


def _up(output: Output, home: Home, settings: Settings, site: Site) -> int:
    ready = _ready(site)
    if site.kind != "kafka" and ready():
        raise LogLocked(
            f"An engine runs for {home} already.", "Stop it with Ctrl-C where it runs, or use it."
        )

    def say(text: str) -> None:
        output.say(text)
        output.emit(said=text)

    rail = _rail_of(settings)
    for name in home.add_missing_keys(*([rail.adapter] if rail is not None else [])):
        say(f"Made a key for the system {name} of {home}.")
    # Every process opens the database itself: who is left last stops a bundled server, also after a kill.
    with open_database(home.postgres, settings.database_url) as database:
        env = {"DAYBOOK_HOME": str(home.root.resolve())}
        ports = operating.ports(settings)
        roles = ["engine", "projector", "follower", "relay"]
        if site.kind == "kafka":
            roles.append("publisher")
        roles += ["detection", "triage"]
        site.make_alerts()
        if webhooks.any_endpoint(database.dsn):
            roles.append("webhooks")
        if rail is not None:
            roles.append("rail")
        children = [
            Child(role, ["run", role], env | ports[role], essential=role == "engine") for role in roles
        ]
        supervisor = Supervisor(children, say, ready=ready)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: supervisor.stop())
        say(f"Starting {', '.join(roles[:-1])} and {roles[-1]} of {home}; Ctrl-C stops them.")
        status = supervisor.run()
    say("Stopped.")
    return status


@contextlib.contextmanager
def _alone(home: Home) -> Iterator[None]:
    """Have the home for this `up`: two that start at once would each take some of its logs from the other.

    Raises LogLocked. The system gives it back when the process dies.
    """
    lock = os.open(home.root / "up.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LogLocked(
                f"`daybook up` runs for {home} already.", "Stop it with Ctrl-C where it runs, or use it."
            ) from None
        yield
    finally:
        os.close(lock)


def _ready(site: Site) -> Callable[[], bool]:
    """Whether what is sent will be decided. On Kafka others may run beside us, on other machines too."""
    if site.kind == "kafka":
        from engine.kafka_engines import Engines  # noqa: PLC0415 - the client, for whom it concerns

        return Engines(site.kafka, READY_S).own_all
    return EngineClient(site.home.socket).answers


def run_engine(output: Output, home: Home, settings: Settings) -> None:
    """The engine's process."""
    if home.read().log == "kafka":
        from engine import kafka_service  # noqa: PLC0415 - the client, for whom it concerns

        kafka_service.serve(home, settings)
    else:
        serve(home, settings)


def run_projector(output: Output, home: Home, settings: Settings) -> None:
    """The projector's process."""
    told, _ = until_told()
    with open_database(home.postgres, settings.database_url) as database:
        projecting.work(Site(home, settings), database.dsn, told)


def run_follower(output: Output, home: Home, settings: Settings) -> None:
    """The follower's process."""
    told, _ = until_told()
    follow(home, settings, told)


def run_relay(output: Output, home: Home, settings: Settings) -> None:
    """The relay's process."""
    _run_reactor(home, settings, RELAY, Relay(RELAY))


def run_publisher(output: Output, home: Home, settings: Settings) -> None:
    """The publisher's process."""
    told, _ = until_told()
    publish(home, settings, told)


def run_detection(output: Output, home: Home, settings: Settings) -> None:
    """The process of detection."""
    told, _ = until_told()
    detect(home, settings, told)


def run_triage(output: Output, home: Home, settings: Settings) -> None:
    """The process of triage."""
    told, _ = until_told()
    streaming.triage(home, settings, told)


def run_webhooks(output: Output, home: Home, settings: Settings) -> None:
    """The process of webhooks."""
    told, _ = until_told()
    webhooks.work(home, settings, told)


def run_stream(output: Output, home: Home, settings: Settings) -> None:
    """A worker of the Faust app."""
    told, _ = until_told()
    streaming.stream(home, settings, told)


def run_rail(output: Output, home: Home, settings: Settings) -> None:
    """The process of a simulated rail."""
    rail = _rail_of(settings)
    if rail is None:
        raise WrongUse("No rail is to be simulated.", "Set DAYBOOK_SIMULATED_RAIL to RAIL=SYSTEM.")
    _run_reactor(home, settings, rail.adapter, rail)


def _rail_of(settings: Settings) -> SimulatedRail | None:
    """The rail that the settings ask for. Raises WrongUse where it cannot behave as they say."""
    if settings.simulated_rail is None:
        return None
    name, _, adapter = settings.simulated_rail.partition("=")
    conduct = settings.simulated_rail_conduct
    known = [field.name for field in msgspec.structs.fields(Conduct)]
    unknown = sorted(conduct.keys() - set(known))
    if unknown or any(value < 0 for value in conduct.values()):
        raise WrongUse(
            f"DAYBOOK_SIMULATED_RAIL_CONDUCT: {', '.join(unknown) or 'a number below zero'} is not possible.",
            f"It can say: {', '.join(known)}.",
        )
    return SimulatedRail(name, adapter, msgspec.convert(conduct, Conduct))


def _run_reactor(home: Home, settings: Settings, system: str, reactor: Reactor) -> None:
    """Host a reactor that speaks as the system, with its key, until told to stop."""
    told, _ = until_told()
    key = home.keyring().keys.get(system)
    if key is None:
        raise NoHome(f"{home.keyring_file} has no key {system!r}.", "Start `daybook up`, which makes it.")
    site = Site(home, settings)
    with sending(site) as send, site.read_all() as logs:

        def submit(outs: Sequence[Out]) -> None:
            send([Out(out.key, out.value, proof(system, key, out.value)) for out in outs])

        host = Host(
            reactor,
            logs,
            submit,
            snapshots=[site.snapshots(one) for one in site.partitions],
            progress=[operating.reader(system, one, log) for one, log in enumerate(logs)],
        )
        host.run(told, lambda: told.wait(IDLE_S))
