"""An agent of a risk team's own, to copy: it counts payments of round amounts by payee, over all books.

    DAYBOOK_HOME=... DAYBOOK_KAFKA_BOOTSTRAP=... python examples/stream_agent.py

It is an app of its own beside the stream workers, with its own group, so it can stop, fail or be rewritten
without their noticing. It reads sightings, which the workers have keyed by payee already, and what it finds
it asks of the books as any system does: a command whose id says what it is about, with its own key.
Before the first run: `daybook key add round-amounts`, a system of that name in each book with a role that
permits `RaiseFlag`, and a topic for its changelog with as many partitions as the site has:

    kafka-topics.sh --create --topic daybook.round-amounts-rounds-changelog --partitions 32 \
        --config cleanup.policy=compact
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec

from detection.faust_app import App, Batch, app_of, table
from detection.hopping import HOUR_MS, Hopping
from detection.sightings import Sighting
from detection.stream_serving import serve
from detection.stream_topics import via
from engine.home import find_home
from engine.log.partitioning import partition_of
from engine.log.topics import Kafka
from engine.proof import Key, proof
from engine.settings import read_settings
from engine.site import Site
from schemas.catalogue import encode
from schemas.flags import RaiseFlag, Seen

NAME: Final = "round-amounts"
WHOLE: Final = 100_00
LEAST: Final = 5
WINDOW: Final = Hopping(size_ms=24 * HOUR_MS, hop_ms=24 * HOUR_MS, late_ms=0)
_sighting_of = msgspec.msgpack.Decoder(Sighting).decode
_rounds_of = msgspec.msgpack.Decoder(dict[str, list[int]]).decode


def found(rounds: dict[str, list[int]], one: Sighting) -> RaiseFlag | None:
    """The fold: remembers which payments of a payee were round today; tells when there are enough in a book.

    What is seen again changes nothing and says the same again, so it may be killed anywhere.
    """
    if one.subject != "payee" or one.paid_out == 0 or one.paid_out % WHOLE:
        return None
    day = WINDOW.hop(one.at)
    seen = rounds.setdefault(f"{day}\n{one.book}", [])
    if one.seq not in seen:
        if len(seen) >= LEAST:
            return None
        seen.append(one.seq)
    if len(seen) < LEAST or one.seq != seen[-1]:
        return None
    what = f"{day}\n{one.book}\n{one.of}"
    return RaiseFlag(
        id=f"round-{hashlib.blake2b(what.encode(), digest_size=16).hexdigest()}",
        book=one.book,
        actor=NAME,
        issued_at_ms=one.at,
        subject="payee",
        of=one.of,
        flag=NAME,
        expires_at_ms=WINDOW.ends_ms(day) + 7 * 24 * HOUR_MS,
        reason=f"{LEAST} payments of round amounts in a day.",
        evidence=tuple([Seen(book=one.book, seq=seq) for seq in seen]),
    )


def watch(app: App, kafka: Kafka, key: Key, partitions: int, batch: Any = Batch) -> Any:
    """The agent. batch: what a batch of records has led to; see `detection.faust_app.Batch`."""
    rounds = table(app, "rounds", partitions, "round payments of a payee by day and book")

    @app.agent(app.topic(via(kafka, "subjects"), key_type=bytes, value_type=bytes), name=NAME)
    async def agent(stream: Any) -> AsyncIterator[None]:
        async for events in stream.take_events(1_000, within=0.1):
            done = batch(app)
            with done.ends(NAME):
                for event in events:
                    payee, place = event.message.key, event.message.partition
                    row = rounds.get(payee)
                    state = {} if row is None else _rounds_of(row)
                    command = found(state, _sighting_of(event.message.value))
                    if state:
                        done.put(rounds, place, payee, msgspec.msgpack.encode(state))
                    if command is not None:
                        value, book = encode(command), command.book.encode()
                        await done.send(
                            kafka.commands,
                            book,
                            value,
                            partition=partition_of(book, partitions),
                            headers=list(proof(NAME, key, value)),
                        )
                await done.stored()
            yield

    return agent


def main() -> None:
    """Run until Ctrl-C."""
    settings = read_settings()
    home = find_home(settings)
    site = Site(home, settings)
    app = app_of(site.kafka, NAME, site.count, session_ms=settings.group_session_ms)
    watch(app, site.kafka, home.keyring().keys[NAME], site.count)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(app, lambda: False))


if __name__ == "__main__":
    main()
