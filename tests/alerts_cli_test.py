"""Alerts of a home: derived by its detector, read on the command line, looked up to their events."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from console import alerts
from console.alerts import Wanted
from console.detecting import detect
from console.output import Output
from engine.derivation import next_pages
from engine.errors import NotInitialised, WrongUse
from engine.home import Home, HomeFile
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST, Out
from engine.settings import Settings
from engine.site import Site
from schemas.alerts import Alert, decode_alert
from tests.detection_words import alerts_of, watched
from tests.story import Word, account, given, later, story, transfer
from tests.terminal import until


def paid_in(to: str, *amounts: int) -> list[Word]:
    return [word for one in amounts for word in (transfer("nostro", to, one), later(days=1))]


@pytest.fixture(scope="module")
def log() -> MemoryLog:
    """A log from which two alerts follow."""
    given(
        account("alice"),
        account("bob"),
        watched(structuring={"threshold": {"EUR": 1_000_000}}),
        paid_in("alice", 900_000, 900_001, 900_002),
        paid_in("bob", 950_000, 950_001, 950_002),
    )
    return story().log.reader()


@pytest.fixture
def site(tmp_path: Path, log: MemoryLog) -> Site:
    """A home with the same log."""
    home = Home(tmp_path / "home")
    home.create(HomeFile(1, "root"))
    site = Site(home, Settings(home=home.root))
    after = BEFORE_FIRST
    with site.write() as copy:
        while page := next_pages(log.events(after), 1):
            after = page[-1].offset
            copy.commit(
                [Out(one.key, one.value, one.headers) for one in page], BEFORE_FIRST, page[-1].time_ms
            )
    return site


def run_detection(site: Site, *, until_there: int) -> None:
    """The process's work in a thread, until so many alerts are there."""
    told = threading.Event()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            detect(site.home, site.settings, told)
        except BaseException as error:  # noqa: BLE001 - it is raised below
            failed.append(error)

    site.make_alerts()
    thread = threading.Thread(target=work)
    thread.start()
    try:
        until(lambda: bool(failed) or len(stored(site)) >= until_there)
    finally:
        told.set()
        thread.join()
    if failed:
        raise failed[0]


def stored(site: Site) -> list[Alert]:
    with site.read_alerts() as feed:
        return [decode_alert(record.value) for record in feed.events(BEFORE_FIRST)]


def printed(capfd: pytest.CaptureFixture[str], site: Site, **wanted: str) -> list[str]:
    alerts.alerts(Output(json=True), site.home, site.settings, Wanted(**wanted), follow=False)
    return [json.loads(line)["account"] for line in capfd.readouterr().out.splitlines()]


def test_the_alerts_of_a_home_are_those_of_its_log(site: Site, log: MemoryLog) -> None:
    run_detection(site, until_there=2)
    assert stored(site) == alerts_of(log)
    run_detection(site, until_there=2)  # who comes next says nothing again
    assert stored(site) == alerts_of(log)
    with site.read_alerts() as feed:
        first = next(feed.events(BEFORE_FIRST))
        assert feed.last_event_offset() == first.offset + 1
        assert feed.wait_events(first.offset, 0.0)
        assert feed.events_behind(first.offset) == 1


def test_before_a_detector_has_run_reading_says_so(site: Site) -> None:
    with pytest.raises(NotInitialised, match="daybook run detection"):
        site.read_alerts()
    site.make_alerts()
    assert stored(site) == []


def test_alerts_are_listed_by_kind_party_and_day(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    run_detection(site, until_there=2)
    assert printed(capfd, site) == ["alice", "bob"]
    assert printed(capfd, site, kind="structuring") == ["alice", "bob"]
    assert printed(capfd, site, kind="fan_in") == []
    assert printed(capfd, site, party="p-bob") == ["bob"]
    alice, bob = stored(site)
    assert alice.day < bob.day
    assert printed(capfd, site, since=bob.day) == ["bob"]
    assert printed(capfd, site, book="main") == ["alice", "bob"]
    assert printed(capfd, site, book="other") == []


def test_the_events_behind_an_alert_are_shown(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    run_detection(site, until_there=2)
    alert = stored(site)[1]
    alerts.show(Output(json=True), site.home, site.settings, alert.id)
    first, *events = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert first["id"] == alert.id
    assert [event["seq"] for event in events] == [seen.seq for seen in alert.evidence]
    assert [event["amount"] for event in events] == [950_000, 950_001, 950_002]
    alerts.show(Output(json=False), site.home, site.settings, alert.id)
    people = capfd.readouterr().out
    assert alert.words in people
    assert "TransferPosted" in people
    with pytest.raises(WrongUse, match="no alert"):
        alerts.show(Output(json=True), site.home, site.settings, "ffff")
