"""Webhooks on the terminal, and their process."""

from __future__ import annotations

import contextlib
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from threading import Event as Told

import msgspec

from console.output import Output
from engine.errors import WrongUse
from engine.home import Home
from engine.settings import Settings
from engine.site import Feed, Site
from gateway.webhooks.delivering import Delivery, Webhooks, attempt, body_of
from gateway.webhooks.posting import Undelivered, target_of, trusting
from gateway.webhooks.sealing import Seal
from gateway.webhooks.signing import make_secret
from gateway.webhooks.store import MOST_ENDPOINTS, Endpoint, Store
from projections.database import connect, open_database

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
KEY = "webhooks.key"


class Alerts:
    """The alerts of a site, partition by partition."""

    def __init__(self, feeds: dict[int, Feed]) -> None:
        self._feeds = feeds

    def read(self, partition: int, after: int, most: int) -> Sequence[tuple[int, bytes]]:
        """See `gateway.webhooks.delivering.Alerts`."""
        return [(one.offset, one.value) for one in islice(self._feeds[partition].events(after), most)]


def work(home: Home, settings: Settings, told: Told) -> None:
    """Deliver until told to stop."""
    site = Site(home, settings)
    site.make_alerts()
    with open_database(home.postgres, settings.database_url) as database, contextlib.ExitStack() as stack:
        feeds = {one: site.read_alerts(one) for one in site.partitions}
        for feed in feeds.values():
            stack.callback(feed.close)
        tls = trusting(settings.webhooks_ca)
        Webhooks(database.dsn, Alerts(feeds), site.partitions, _seal(home), Delivery(), tls).run(told)


def any_endpoint(dsn: str) -> bool:
    """Whether there is anything to deliver to."""
    with contextlib.closing(connect(dsn)) as session:
        store = Store(session)
        store.make()
        return bool(store.endpoints())


def add(
    output: Output,
    home: Home,
    settings: Settings,
    name: str,
    url: str,
    *,
    kind: str,
    book: str,
    confidence: int,
) -> None:
    """Add an endpoint; alerts that are there already are not posted."""
    if not _ID.fullmatch(name):
        raise WrongUse(f"{name!r} is no id of an endpoint.", "Use letters, digits, dots and dashes.")
    try:
        target_of(url)
    except ValueError as error:
        raise WrongUse(
            f"Nothing can be posted to this address: {error}.", "See `webhooks add --help`."
        ) from None
    secret = make_secret()
    with _store(home, settings) as store:
        if len(store.endpoints()) >= MOST_ENDPOINTS:
            raise WrongUse(f"There are {MOST_ENDPOINTS} endpoints, which is the most.", "Remove one.")
        _begin(home, settings, store)
        sealed = _seal(home).seal(secret, name)
        if not store.add(Endpoint(name, url, kind, book, confidence, sealed, None, None, "")):
            raise WrongUse(f"There is an endpoint {name} already.", "Remove it first, or use another id.")
    output.say(f"{name} gets alerts from now on. Its secret, which is not shown again:")
    output.say(secret)
    output.say("They are delivered while `daybook up`, started anew, or `daybook run webhooks` runs.")
    output.emit(endpoint=name, secret=secret)


def _begin(home: Home, settings: Settings, store: Store) -> None:
    """Where nothing was ever read, reading begins behind what is there now."""
    site = Site(home, settings)
    site.make_alerts()
    for partition in site.partitions:
        if store.place(partition) is None:
            with contextlib.closing(site.read_alerts(partition)) as feed:
                store.begin(partition, feed.last_event_offset())


def list_endpoints(output: Output, home: Home, settings: Settings) -> bool:
    """Show them; False where one is disabled."""
    with _store(home, settings) as store:
        found = [(one, store.state(one.id)) for one in store.endpoints()]
    output.table(
        "",
        ["endpoint", "to", "kind", "book", ">at least", "state", ">waiting", "since (UTC)", ">dead"],
        [
            (
                one.id,
                target_of(one.url).shown,
                one.kind,
                one.book,
                one.confidence,
                one.disabled or "active",
                queue.waiting,
                "" if queue.oldest is None else f"{queue.oldest:%Y-%m-%d %H:%M:%S}",
                queue.dead,
            )
            for one, queue in found
        ],
    )
    if not found:
        output.say("There are no endpoints.")
    for one, queue in found:
        output.emit(
            endpoint=one.id,
            to=target_of(one.url).shown,
            kind=one.kind,
            book=one.book,
            confidence=one.confidence,
            disabled=one.disabled,
            **msgspec.to_builtins(queue),
        )
    return not any(one.disabled for one, _ in found)


def remove(output: Output, home: Home, settings: Settings, name: str) -> None:
    """Forget an endpoint."""
    with _store(home, settings) as store:
        if not store.remove(name):
            raise _unknown(name)
    output.say(f"{name} gets nothing more.")
    output.emit(removed=name)


def rotate(output: Output, home: Home, settings: Settings, name: str, hours: float) -> None:
    """A new secret."""
    secret = make_secret()
    with _store(home, settings) as store:
        if not store.rotate(name, _seal(home).seal(secret, name), hours * 3_600):
            raise _unknown(name)
    output.say(f"The new secret of {name}, which is not shown again; the old one signs for {hours:g} h, too:")
    output.say(secret)
    output.emit(endpoint=name, secret=secret, old_for_hours=hours)


def dead(output: Output, home: Home, settings: Settings, name: str | None) -> None:
    """Show dead letters, the oldest first."""
    with _store(home, settings) as store:
        rows = store.dead(name)
    output.table(
        "",
        ["endpoint", "message", ">attempts", "queued (UTC)", "why"],
        [
            (one.endpoint, one.message, one.attempts, f"{one.queued_at:%Y-%m-%d %H:%M:%S}", one.why)
            for one in rows
        ],
    )
    if not rows:
        output.say("There are no dead letters.")
    for one in rows:
        output.emit(**msgspec.to_builtins(one))


def resend(output: Output, home: Home, settings: Settings, name: str, message: str | None) -> None:
    """Try dead letters again."""
    with _store(home, settings) as store:
        if store.endpoint(name) is None:
            raise _unknown(name)
        count = store.resend(name, message)
    if message is not None and not count:
        raise WrongUse(f"{message} is no dead letter of {name}.", "`daybook webhooks dead` lists them.")
    output.say(f"{count} to be tried again.")
    output.emit(endpoint=name, again=count)


def try_out(output: Output, home: Home, settings: Settings, name: str) -> bool:
    """Post a test message; False where it did not arrive."""
    with _store(home, settings) as store:
        endpoint = store.endpoint(name)
    if endpoint is None:
        raise _unknown(name)
    message = f"test-{secrets.token_hex(8)}"
    body = body_of("test", round(time.time() * 1_000), msgspec.json.encode({"endpoint": name}))
    tls = trusting(settings.webhooks_ca)
    try:
        status = attempt(endpoint, _seal(home), message, body, Delivery().timeout_s, tls).status
    except Undelivered as error:
        output.say(f"{name} did not get it: {error}.")
        output.emit(endpoint=name, message=message, delivered=False, why=str(error))
        return False
    done = 200 <= status < 300
    output.say(f"{name} answered {status}: {'it has it' if done else 'that is not taken for a yes'}.")
    output.emit(endpoint=name, message=message, delivered=done, status=status)
    return done


@contextlib.contextmanager
def _store(home: Home, settings: Settings) -> Iterator[Store]:
    with (
        open_database(home.postgres, settings.database_url) as database,
        contextlib.closing(connect(database.dsn)) as session,
    ):
        store = Store(session)
        store.make()
        yield store


def _seal(home: Home) -> Seal:
    return Seal(home.keys / KEY)


def _unknown(name: str) -> WrongUse:
    return WrongUse(f"There is no endpoint {name}.", "`daybook webhooks list` shows which there are.")
