"""`daybook outcomes`: the same records where they are derived from events and where they are published."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

import pytest

from book.state import SYSTEM_BOOK
from console.output import Output
from console.published import outcomes
from console.sites import Topics, make_home
from engine.derivation import Host
from engine.embedded import InProcess
from engine.errors import WrongUse
from engine.home import Home, HomeFile
from engine.log.kafka_output import KafkaOutput
from engine.log.records import Out
from engine.publisher import NAME, Publisher
from engine.settings import Settings
from engine.site import Site
from schemas.books import Administrator, OpenBook
from schemas.catalogue import encode
from tests.kafka_servers import unused_prefix
from tests.terminal import Terminal

ADMIN = Administrator(person="admin", user="admin")
OPENED_MS = 1_700_000_000_000


def commands() -> list[Out]:
    """Three books, one of them twice, and a record that is none."""
    outs = []
    for number, name in enumerate(("red", "green", "blue", "red")):
        command = OpenBook(
            id=f"c{number}",
            book=name,
            actor="admin",
            issued_at_ms=OPENED_MS,
            name=name,
            currency="EUR",
            clock="commanded",
            administrators=(ADMIN,),
        )
        outs.append(Out(name.encode(), encode(command)))
    return [*outs, Out(b"red", b"{")]


def said(
    home: Home, settings: Settings, capfd: pytest.CaptureFixture[str], book: str | None = None
) -> list[str]:
    outcomes(Output(json=True), home, settings, book, from_seq=1, follow=False)
    return capfd.readouterr().out.splitlines()


def test_records_are_the_same_from_events_and_from_the_topic(
    kafka_bootstrap: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    kept: dict[str, list[str]] = {}
    for kind in ("sqlite", "kafka"):
        root = tmp_path / kind
        settings = Settings(home=root, kafka_bootstrap=kafka_bootstrap, topic_prefix=unused_prefix())
        file = HomeFile(1, "admin", log="kafka" if kind == "kafka" else "sqlite")
        make_home(root, settings, file, Topics(1, 1))
        site = Site(Home(root), settings)
        with site.write() as log:
            InProcess(log).submit(commands())
        if kind == "kafka":
            with (
                site.read() as log,
                contextlib.closing(KafkaOutput(site.kafka, site.kafka.outcomes, 0, NAME)) as output,
            ):
                host = Host(Publisher(), log, output)
                deadline = time.monotonic() + 30
                while host.step() or len(said(site.home, settings, capfd)) < 5:
                    assert time.monotonic() < deadline
        kept[kind] = said(site.home, settings, capfd)
    stripped = {
        kind: [{key: value for key, value in json.loads(line).items() if key != "at"} for line in lines]
        for kind, lines in kept.items()
    }
    assert stripped["sqlite"] == stripped["kafka"]
    assert [one["verdict"] for one in stripped["sqlite"]] == ["accepted"] * 3 + ["rejected"] * 2
    assert [one.get("reason") for one in stripped["sqlite"]][3:] == ["book_exists", "undecodable"]


def test_one_book_and_from_a_seq_on_for_people(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(tmp_path)
    terminal.ok("init", "--book", "main")
    lines = terminal.ok("outcomes", "--json").lines
    assert [one["named"]["book"] for one in lines if "BookOpened" in one["events"]] == ["main"]
    assert terminal.run("outcomes", "--book", "nowhere").status == 2
    seq = lines[-1]["seq"]
    later = terminal.ok("outcomes", "--book", SYSTEM_BOOK, "--from", str(seq)).out
    assert len(later.splitlines()) == 1
    assert "accepted  BookRegistered, BookOpened, book main" in later
    refused = terminal.run("run", "publisher")
    assert refused.status == 2
    assert "daybook outcomes" in refused.err


def test_a_book_without_a_command_is_said_to_be_unknown(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    make_home(tmp_path / "home", settings, HomeFile(1, "admin"))
    with pytest.raises(WrongUse):
        outcomes(Output(json=True), Home(tmp_path / "home"), settings, "red", from_seq=1, follow=False)
