"""`daybook archive` and `daybook adopt` as people run them, on the real broker: what is removed from Kafka is
still told and proven, and a copy goes on as the log that it was, once somebody says so.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.home import Home
from engine.log.records import BEFORE_FIRST, wall_clock
from engine.log.topic_settings import create
from engine.log.topics import Kafka
from engine.settings import Settings
from engine.site import Site
from tests.clusters import mirror
from tests.kafka_servers import unused_prefix
from tests.terminal import SOON_S, Terminal, Up, ndjson, small_bank, until

PARTITIONS = 2
WRONG_USE = 2
SENT_MS = wall_clock()
TOPICS = ("--log", "kafka", "--partitions", str(PARTITIONS), "--replication", "1")


@pytest.fixture
def terminal(kafka_bootstrap: str) -> Iterator[Terminal]:
    """A place where a home of two partitions is made."""
    folder = Path(tempfile.mkdtemp(prefix="dbk", dir="/tmp"))
    yield Terminal(
        folder,
        DAYBOOK_KAFKA_BOOTSTRAP=kafka_bootstrap,
        DAYBOOK_TOPIC_PREFIX=unused_prefix(),
        DAYBOOK_GROUP_SESSION_MS="6000",
        DAYBOOK_ARCHIVE=str(folder / "archive"),
    )
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def site(terminal: Terminal, postgres_dsn: str) -> Terminal:
    """A home with a book, and read models."""
    terminal.env["DAYBOOK_DATABASE_URL"] = postgres_dsn
    terminal.ok("init", "--book", "main", "--second-admin", "", *TOPICS)
    return terminal


def opened(terminal: Terminal) -> Site:
    """The same site, for a look at its log."""
    settings = Settings(
        home=terminal.folder / ".daybook",
        kafka_bootstrap=terminal.env["DAYBOOK_KAFKA_BOOTSTRAP"],
        topic_prefix=terminal.env["DAYBOOK_TOPIC_PREFIX"],
    )
    return Site(Home(terminal.folder / ".daybook"), settings)


def transfers(*numbers: int) -> str:
    """The same bytes for the same number, so that one that is sent again is the same command."""
    said = {"type": "Transfer", "book": "main", "debit": "a1", "credit": "a2", "amount": 1, "currency": "EUR"}
    return ndjson([{**said, "id": f"t{number}", "issued_at_ms": SENT_MS} for number in numbers])


def works(terminal: Terminal, commands: str, verdicts: frozenset[str] = frozenset({"accepted"})) -> None:
    """Processes start, decide, and end in order: all is signed and in a snapshot then."""
    up = Up(terminal)
    try:
        answers = terminal.ok("submit", "-", "--stamp", "--json", stdin=commands).lines
        assert {one["verdict"] for one in answers} == verdicts
        until(lambda: caught_up(terminal))
        assert up.stop() == 0, up.text()
    finally:
        up.kill_all()


def caught_up(terminal: Terminal) -> bool:
    """Whether projectors and followers have read all there is."""
    duties = terminal.run("status", "--json").last["duties"]
    return all(one["behind"] == 0 for one in duties if one["role"] in {"projector", "follower"})


def proven(terminal: Terminal) -> str:
    """History holds, receipts fit, read models are the log's, and all is decided again as it was."""
    found = terminal.ok("replay", "verify", "--json").last
    assert (found["ok"], found["problems"], found["receipts"] > 0) == (True, [], True)
    again = terminal.ok("replay", "redecide", "--json").last
    assert again["digest"] == found["digest"]
    return str(found["digest"])


def begins(terminal: Terminal, partition: int) -> tuple[int, int]:
    """Where events and commands begin in Kafka."""
    with opened(terminal).write(partition) as log:
        return log.first_offset("events"), log.first_offset("commands")  # type: ignore[attr-defined]


@pytest.mark.long
@pytest.mark.timeout(500)
def test_what_was_archived_and_removed_is_still_told_and_built_on(site: Terminal) -> None:
    works(site, small_bank() + transfers(*range(30)))
    partition = opened(site).partition_of("main")
    before = proven(site)
    early = site.ok("replay", "as-of", "--book", "main", "--seq", "9", "--json").lines
    assert begins(site, partition) == (0, 0)

    (copied,) = [one for one in site.ok("archive", "--json").lines if one["partition"] == partition]
    assert copied["events"] > 30
    assert begins(site, partition) == (0, 0), "copied, and nothing removed"
    aside = site.folder / "aside"
    snapshots = site.folder / ".daybook/snapshots"
    snapshots.rename(aside)
    refused = site.run("archive", "--trim")
    assert refused.status != 0
    assert "nothing was removed" in refused.out + refused.err
    assert begins(site, partition) == (0, 0)
    shutil.rmtree(snapshots, ignore_errors=True)
    aside.rename(snapshots)
    (removed,) = [
        one for one in site.ok("archive", "--trim", "--json").lines if one["partition"] == partition
    ]
    assert removed["files"] == 0, "what is archived is not archived again"
    assert begins(site, partition) == (removed["events_from"], removed["commands_from"])
    assert removed["events_from"] > 30

    assert proven(site) == before
    assert site.ok("replay", "as-of", "--book", "main", "--seq", "9", "--json").lines == early
    alone = site.run("replay", "verify", DAYBOOK_ARCHIVE=str(site.folder / "elsewhere"))
    assert alone.status == 1, "without the archive there is a gap, and it is not passed over"

    # Engines start from the snapshot, and know what was done before the topics begin.
    works(site, transfers(0, 30), frozenset({"accepted", "repeated"}))
    site.ok("archive", "--trim")
    assert begins(site, partition) > (removed["events_from"], removed["commands_from"])
    assert proven(site) != before
    (rebuilt,) = [one for one in site.ok("replay", "rebuild", "--json").lines if "compared" in one]
    assert (rebuilt["compared"], rebuilt["ok"]) == (True, True)


@pytest.mark.long
@pytest.mark.timeout(500)
def test_a_copy_is_refused_until_it_is_adopted_and_goes_on_then(site: Terminal) -> None:
    works(site, small_bank() + transfers(*range(20)))
    proven(site)
    source = opened(site)
    there = site.run("adopt", "--commands", "mirrored")
    assert there.status == WRONG_USE
    assert "nothing to adopt" in there.err

    site.env["DAYBOOK_TOPIC_PREFIX"] = unused_prefix()
    copied(source, opened(site).kafka)
    site.ok("topics", "check")
    engine = site.start("run", "engine")
    assert engine.wait(SOON_S) == WRONG_USE, "a copy is not taken for the log"
    assert b"daybook adopt" in b"".join(engine.communicate())
    undecided = site.run("adopt")
    assert undecided.status == WRONG_USE
    assert "mirrored or anew" in undecided.err

    adopted = site.ok("adopt", "--commands", "mirrored", "--reason", "the cluster was lost", "--json").lines
    assert [one["partition"] for one in adopted] == [0, 1]
    assert [(one["epoch"], one["waiting"], one["lost_receipts"]) for one in adopted] == [(1, 0, 0)] * 2
    assert sum(one["carried"] for one in adopted) > 20
    site.ok("replay", "rebuild")
    works(site, transfers(0, 20), frozenset({"accepted", "repeated"}))
    proven(site)
    again = site.run("adopt", "--commands", "mirrored")
    assert again.status == WRONG_USE
    balance = site.ok("account", "a2", "--book", "main", "--json").last
    assert balance["booked"] == 100_00 + 21


def copied(source: Site, target: Kafka) -> None:
    """A plain mirror."""
    create(target, PARTITIONS, 1)
    for partition in range(PARTITIONS):
        with source.write(partition) as log:
            mirror(target, target.events, log.events(BEFORE_FIRST), partition)
            mirror(target, target.commands, log.commands(BEFORE_FIRST, 1_000_000, 0.0), partition)


def test_what_cannot_be_archived_is_said(terminal: Terminal) -> None:
    terminal.ok("init", "--book", "main", "--second-admin", "", *TOPICS)
    place = terminal.env.pop("DAYBOOK_ARCHIVE")
    refused = terminal.run("archive")
    terminal.env["DAYBOOK_ARCHIVE"] = place
    assert refused.status == WRONG_USE
    assert "Set DAYBOOK_ARCHIVE" in refused.err
    unsigned = terminal.ok("archive", "--trim")
    assert unsigned.out.count("nothing is signed yet") == PARTITIONS
    assert [begins(terminal, one) for one in range(PARTITIONS)] == [(0, 0)] * PARTITIONS
    shutil.rmtree(terminal.folder / ".daybook")
    terminal.ok("init")
    embedded = terminal.run("archive")
    assert embedded.status == WRONG_USE
    assert "Only a log in Kafka is archived" in embedded.err
