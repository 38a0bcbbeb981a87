"""The processes of the streams: triage in one process, and a worker of the Faust app."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import sys
from collections.abc import Sequence
from threading import Event as Told
from typing import Any

from detection.inline import Inline
from detection.inline_host import Host
from detection.triage import SYSTEM
from detection.watching import watching_of
from engine import operating
from engine.embedded import sending
from engine.errors import WrongUse
from engine.home import Home, NoHome
from engine.log.records import Out
from engine.proof import Key, proof
from engine.settings import Settings
from engine.site import Site

IDLE_S = 0.05
STATE = "triage.state"
"""The file of the home in which triage keeps what it has seen."""


def triage(home: Home, settings: Settings, told: Told) -> None:
    """Group alerts into cases and look over all books, in this process, until told to stop."""
    site = Site(home, settings)
    key = _key(home)
    watching = watching_of(settings.stream_watching)
    with contextlib.ExitStack() as stack:
        send = stack.enter_context(sending(site))
        events = {one: stack.enter_context(site.read(one)) for one in site.partitions}
        alerts = {one: stack.enter_context(site.read_alerts(one)) for one in site.partitions}

        def submit(outs: Sequence[Out]) -> None:
            send([Out(out.key, out.value, proof(SYSTEM, key, out.value)) for out in outs])

        host = Host(
            events,
            alerts,
            submit,
            home.root / STATE,
            progress={one: operating.reader(SYSTEM, one, log) for one, log in events.items()},
            make=lambda kept: Inline(kept, watching),
        )
        host.run(told, lambda: told.wait(IDLE_S))


def stream(home: Home, settings: Settings, told: Told) -> None:
    """Be a worker of the Faust app until told to stop. Raises WrongUse where that cannot be."""
    site = Site(home, settings)
    if site.kind != "kafka":
        raise WrongUse(
            "Stream workers run beside a log in Kafka.", "`daybook run triage` does the same for this home."
        )
    if not installed():
        raise WrongUse(
            "Faust is not installed here.", "Install daybook-engine[stream], or use `daybook run triage`."
        )
    from detection import faust_app  # noqa: PLC0415 - Faust, for whom it concerns
    from detection.stream import Streams  # noqa: PLC0415 - as above
    from detection.stream_serving import Behind, serve  # noqa: PLC0415 - as above
    from detection.stream_topics import NAME, wanted  # noqa: PLC0415 - as above

    missing = [name for name in wanted(site.kafka, 1) if not site.kafka.partitions(name)]
    if missing:
        raise WrongUse(
            f"There is no topic {missing[0]}.", "`daybook topics create --stream` makes what is missing."
        )
    app = faust_app.app_of(
        site.kafka,
        NAME,
        site.count,
        session_ms=settings.group_session_ms,
        port=settings.stream_port,
        host=settings.stream_host,
    )
    streams = Streams(
        app,
        site.kafka,
        _key(home),
        site.count,
        watching=watching_of(settings.stream_watching),
        progress=lambda one: operating.reader(NAME, one, Behind(app, site.kafka.events, one)),
    )

    async def revoked(_: Any, /, *places: Any, signal: Any, **__: Any) -> None:
        streams.lost(one.partition for one in places[0] if one.topic == site.kafka.events)

    app.on_partitions_revoked.connect(revoked)
    asyncio.run(serve(app, told.is_set, settings.watchdog_s))


def installed() -> bool:
    """Whether Faust and what it needs to read our topics are there."""
    return all(
        name in sys.modules or importlib.util.find_spec(name) is not None for name in ("faust", "cramjam")
    )


def _key(home: Home) -> Key:
    key = home.keyring().keys.get(SYSTEM)
    if key is None:
        raise NoHome(f"{home.keyring_file} has no key {SYSTEM!r}.", "Start `daybook up`, which makes it.")
    return key
