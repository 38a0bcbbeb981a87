"""The relay on Kafka: it follows all partitions, and two of them at once pay nothing twice."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine.embedded import sending
from engine.home import LOCAL_KEY
from engine.kafka_client import KafkaClient
from engine.log.records import BEFORE_FIRST, Out, wall_clock
from engine.proof import proof
from engine.reactor import Host
from engine.site import Site
from gateway.relay import RELAY, Relay
from replay.verify import verify_all
from schemas.catalogue import decode_event
from schemas.crossbook import CrossBookCompleted, CrossBookReceived, CrossBookReleased
from tests.crossbook_up_test import BOOKS, agreed, sent
from tests.kafka_bank import new_site
from tests.kafka_home_test import SOON_S, deciding, open_book
from tests.terminal import until

PAYMENTS = 50


def test_two_relays_at_once_settle_every_payment_once(kafka_bootstrap: str, tmp_path: Path) -> None:
    site = new_site(kafka_bootstrap, tmp_path / "home", 2)
    assert {site.partition_of(book) for book in BOOKS} == {0, 1}
    with deciding(site, 0, 1), KafkaClient(site.kafka, SOON_S) as client:
        client.submit([open_book(site, book) for book in BOOKS])
        client.submit(proved(site, (one for book in BOOKS for one in agreed(book))))
        with relaying(site), relaying(site):
            client.submit(proved(site, map(json.loads, sent(range(PAYMENTS)).splitlines())))
            until(lambda: len(settled(site)) >= PAYMENTS)
            time.sleep(0.5)  # for what the slower one of them still sends
    found = settled(site)
    assert len(found) == PAYMENTS
    assert len(set(found)) == PAYMENTS
    verified = verify_all(site.readers(), several=True, commands_may_wait=True)
    assert verified.problems == []
    kinds = [kind for _, log in site.readers() for kind in map(kind_of, log.events(BEFORE_FIRST))]
    assert kinds.count(CrossBookReceived) == kinds.count(CrossBookCompleted) == PAYMENTS * 4 // 5


@contextlib.contextmanager
def relaying(site: Site) -> Any:
    """A relay in a thread, while this lasts."""
    key = site.home.keyring().keys[RELAY]
    over = threading.Event()
    with sending(site) as send, site.read_all() as logs:

        def submit(outs: Iterable[Out]) -> None:
            send([Out(one.key, one.value, proof(RELAY, key, one.value)) for one in outs])

        host = Host(Relay(RELAY), logs, submit)
        thread = threading.Thread(target=host.run, args=[over, lambda: over.wait(0.02)])
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(SOON_S)


def proved(site: Site, commands: Iterable[dict[str, Any]]) -> list[Out]:
    key = site.home.keyring().keys[LOCAL_KEY]
    values = [{**one, "actor": "admin", "issued_at_ms": wall_clock()} for one in commands]
    return [
        Out(one["book"].encode(), value := json.dumps(one).encode(), proof(LOCAL_KEY, key, value))
        for one in values
    ]


def kind_of(record: Any) -> type:
    return type(decode_event(record.value))


def settled(site: Site) -> list[tuple[str, int]]:
    """Payments that their own book has completed or released."""
    events = [decode_event(one.value) for _, log in site.readers() for one in log.events(BEFORE_FIRST)]
    return [
        (one.book, one.number) for one in events if isinstance(one, CrossBookCompleted | CrossBookReleased)
    ]
