"""Alerts to endpoints: read once, queued for all who want them, and posted by a thread for each endpoint, so
that one that is slow or down holds up no other. Of messages no more than one an endpoint is in memory.
"""

from __future__ import annotations

import contextlib
import datetime
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from engine.log.records import BEFORE_FIRST
from engine.logger import logger
from gateway.webhooks.backoff import Backoff
from gateway.webhooks.posting import Answer, Target, Undelivered, post, target_of
from gateway.webhooks.sealing import Seal, SecretsUnreadable
from gateway.webhooks.signing import key_of, signed_headers
from gateway.webhooks.store import Endpoint, Message, Store
from projections.database import DatabaseUnavailable, connect
from schemas.alerts import Alert, decode_alert

AT_ONCE: Final = 500
"""Alerts that are read and queued in one transaction."""
IDLE_S: Final = 0.2
AGAIN_S: Final = 2.0
"""How long to wait for a database that is away."""
GONE: Final = 410


class Alerts(Protocol):
    """Where alerts are read."""

    def read(self, partition: int, after: int, most: int) -> Sequence[tuple[int, bytes]]:
        """(offset, alert as JSON) behind `after`, in order; as many as there are by now, or `most`."""
        ...


class Delivery(msgspec.Struct, frozen=True):
    """How messages are delivered. timeout_s: of an attempt, whatever the receiver does.

    spare_s: how much longer a message is nobody else's; then the process that had it is taken to be dead.
    """

    backoff: Backoff = Backoff()
    timeout_s: float = 15.0
    spare_s: float = 30.0


def wants(endpoint: Endpoint, alert: Alert) -> bool:
    """Whether an endpoint is to have an alert. A kind admits the rules of a document, too."""
    return (
        not endpoint.disabled
        and endpoint.kind in ("", alert.kind, alert.kind.partition("/")[0])
        and endpoint.book in ("", alert.book)
        and alert.confidence >= endpoint.confidence
        and not alert.shadow
    )


def body_of(kind: str, at_ms: int, data: bytes) -> bytes:
    """A payload as the specification asks for: type, time of what happened, and data, in these bytes."""
    at = datetime.datetime.fromtimestamp(at_ms / 1_000, datetime.UTC).isoformat(timespec="milliseconds")
    return msgspec.json.encode({"type": kind, "timestamp": at, "data": msgspec.Raw(data)})


def queue_new(store: Store, alerts: Alerts, partition: int, endpoints: Sequence[Endpoint]) -> int:
    """Read what is new in a partition, a bounded part of it, and queue it; returns how many alerts."""
    after = store.place(partition)
    if after is None:
        store.begin(partition, BEFORE_FIRST)
        after = BEFORE_FIRST
    read = alerts.read(partition, after, AT_ONCE)
    if not read:
        return 0
    messages = []
    for _, value in read:
        alert = decode_alert(value)
        wanted = [one.id for one in endpoints if wants(one, alert)]
        if wanted:
            body = body_of("alert.raised", alert.at, value)
            messages += [(endpoint, alert.id, body) for endpoint in wanted]
    return len(read) if store.queue(partition, after, read[-1][0], messages) else 0


def attempt(
    endpoint: Endpoint, seal: Seal, message: str, body: bytes, timeout_s: float, tls: ssl.SSLContext
) -> Answer:
    """Sign and post once. Raises Undelivered, SecretsUnreadable."""
    now = time.time()
    keys = [key_of(seal.open(endpoint.secret, endpoint.id))]
    if endpoint.old_secret and endpoint.old_until and endpoint.old_until.timestamp() > now:
        with contextlib.suppress(SecretsUnreadable):  # the new one signs, and that is why there is a new one
            keys.append(key_of(seal.open(endpoint.old_secret, endpoint.id)))
    headers = signed_headers(message, int(now), body, keys)
    target: Target = target_of(endpoint.url)
    return post(target, headers, body, timeout_s, tls)


def settle(store: Store, one: Message, answer: Answer | str, backoff: Backoff) -> str:
    """What becomes of a message after an attempt, in a word. answer: or why there is none."""
    if isinstance(answer, Answer) and 200 <= answer.status < 300:
        store.delivered(one)
        return "delivered"
    told_s = answer.retry_after_s if isinstance(answer, Answer) else None
    why = f"status {answer.status}" if isinstance(answer, Answer) else answer
    if isinstance(answer, Answer) and 300 <= answer.status < 400:
        why += ", a redirect, which is not followed"
    if isinstance(answer, Answer) and answer.status == GONE:
        store.failed(one, why, None)
        store.disable(one.endpoint, "it answered 410, gone")
        return "disabled"
    tried = one.attempts + 1
    if tried >= backoff.attempts:
        store.failed(one, why, None)
        return "dead"
    store.failed(one, why, backoff.wait_s(one.endpoint, one.message, tried, told_s))
    return "failed"


class Sender(threading.Thread):
    """Posts what is due for one endpoint, one message after the other."""

    def __init__(
        self,
        dsn: str,
        name: str,
        seal: Seal,
        how: Delivery,
        tls: ssl.SSLContext,
        told: Callable[[], bool],
    ) -> None:
        super().__init__(name=f"webhook {name}", daemon=True)
        self.ended = threading.Event()
        self._dsn, self._endpoint, self._seal, self._how, self._tls = dsn, name, seal, how, tls
        self._told = told

    def run(self) -> None:
        """Until told, or the endpoint is gone or disabled. A database that is away is waited for."""
        while not self._stopping():
            try:
                with contextlib.closing(connect(self._dsn)) as session:
                    self._work(Store(session))
                    return
            except DatabaseUnavailable as error:
                logger.warning("webhook_waits", what=error.what, advice=error.advice)
                self.ended.wait(AGAIN_S)

    def _stopping(self) -> bool:
        return self.ended.is_set() or self._told()

    def _work(self, store: Store) -> None:
        while not self._stopping():
            one = store.claim(self._endpoint, self._how.timeout_s + self._how.spare_s)
            if one is None:
                self.ended.wait(IDLE_S)
                continue
            endpoint = store.endpoint(self._endpoint)
            if endpoint is None or endpoint.disabled:
                store.put_back(one)
                return
            try:
                answer: Answer | str = attempt(
                    endpoint, self._seal, one.message, one.body, self._how.timeout_s, self._tls
                )
            except Undelivered as error:
                answer = str(error)
            except (SecretsUnreadable, ValueError) as error:
                answer = str(error)
            except Exception as error:  # noqa: BLE001 - uncounted, it would come again for ever without a pause
                answer = type(error).__name__
            became = settle(store, one, answer, self._how.backoff)
            if became != "delivered":
                said = answer if isinstance(answer, str) else f"status {answer.status}"
                logger.warning("webhook_" + became, client=self._endpoint, what=said, count=one.attempts + 1)


class Webhooks:
    """All of it: reads, queues, and keeps a sender for each endpoint. `step` until told."""

    def __init__(
        self,
        dsn: str,
        alerts: Alerts,
        partitions: Sequence[int],
        seal: Seal,
        how: Delivery,
        tls: ssl.SSLContext,
    ) -> None:
        self._dsn, self._alerts, self._partitions = dsn, alerts, partitions
        self._seal, self._how, self._tls = seal, how, tls
        self._senders: dict[str, Sender] = {}
        self._stopped = threading.Event()

    def run(self, told: threading.Event) -> None:
        """Until told; a database that is away is waited for."""
        try:
            while not told.is_set():
                try:
                    with contextlib.closing(connect(self._dsn)) as session:
                        store = Store(session)
                        store.make()
                        while not told.is_set():
                            if not self.step(store):
                                told.wait(IDLE_S)
                except DatabaseUnavailable as error:
                    logger.warning("webhooks_wait", what=error.what, advice=error.advice)
                    told.wait(AGAIN_S)
        finally:
            self.close()

    def step(self, store: Store) -> int:
        """Queue what is new, and see to the senders; returns how many alerts were read."""
        endpoints = store.endpoints()
        wanted = {one.id for one in endpoints if not one.disabled}
        for name, sender in list(self._senders.items()):
            if name not in wanted or not sender.is_alive():
                sender.ended.set()
                del self._senders[name]
        for name in wanted - self._senders.keys():
            sender = Sender(self._dsn, name, self._seal, self._how, self._tls, self._stopped.is_set)
            self._senders[name] = sender
            sender.start()
        return sum(queue_new(store, self._alerts, one, endpoints) for one in self._partitions)

    def close(self) -> None:
        """End the senders; one in the middle of an attempt ends with it."""
        self._stopped.set()
        for sender in self._senders.values():
            sender.ended.set()
        for sender in self._senders.values():
            sender.join(self._how.timeout_s * 2)
        self._senders.clear()
