"""The follower's process: of the one log of a home, or of the partitions that the group gives it."""

from __future__ import annotations

from threading import Event as Told

from engine import operating
from engine.follower import Follower
from engine.followers import Followers, read_ahead_kb
from engine.home import Home
from engine.receipts import Signer, read_signing_key
from engine.settings import Settings
from engine.site import OpenLog, Site

ROLE = "follower"


def follow(home: Home, settings: Settings, told: Told) -> None:
    """Write snapshots and sign links until told to stop."""
    site = Site(home, settings)
    key = read_signing_key(home.signing_key)

    def made(partition: int, log: OpenLog) -> Follower:
        receipts = site.receipts(partition)
        receipts.mkdir(parents=True, exist_ok=True, mode=0o700)
        follower = Follower(log, site.snapshots(partition), receipts, Signer(key, partition))
        follower.progress = operating.reader(ROLE, partition, log)
        return follower

    if site.kind != "kafka":
        with site.read() as log:
            made(0, log).run(told)
        return
    from engine.membership import Membership  # noqa: PLC0415 - the client, for whom it concerns

    ahead = {"queued.max.messages.kbytes": str(read_ahead_kb(site.count))}
    options = {**settings.kafka_options, **ahead}
    reading = Site(home, settings.model_copy(update={"kafka_options": options}))
    followers = Followers(reading.read, made)
    with Membership(
        site.kafka,
        ROLE,
        followers.gained,
        followers.lost,
        session_ms=settings.group_session_ms,
        protocol=settings.group_protocol,
    ) as group:
        followers.run(told, lambda: group.poll(0.0))
