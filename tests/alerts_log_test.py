"""The alerts log beside the book's own in PostgreSQL: two logs of one partition, each with its one writer."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from engine.errors import LogLocked, NotInitialised
from engine.home import Home, HomeFile
from engine.log.records import BEFORE_FIRST, Out
from engine.settings import Settings
from engine.site import Site


@pytest.fixture
def site(tmp_path: Path, postgres_dsn: str) -> Site:
    home = Home(tmp_path / "home")
    home.create(HomeFile(1, "root", log="postgres"))
    return Site(home, Settings(home=home.root, log_url=postgres_dsn))


def test_alerts_stand_beside_the_log_and_each_has_its_writer(site: Site) -> None:
    with pytest.raises(NotInitialised):
        site.read_alerts()
    with site.write() as log, contextlib.closing(site.write_alerts(0, "detection")) as output:
        assert output.newest() is None
        output.append([Out(b"main", b"first")], 1)
        output.append([Out(b"main", b"second", (("through", b"7"),))], 2)
        log.commit([Out(b"main", b"event")], BEFORE_FIRST, 3)
        newest = output.newest()
        assert newest is not None
        assert (newest.value, newest.headers) == (b"second", (("through", b"7"),))
        with pytest.raises(LogLocked):
            site.write_alerts(0, "detection")
        with site.read_alerts() as feed, site.read() as events:
            assert [one.value for one in feed.events(BEFORE_FIRST)] == [b"first", b"second"]
            assert [one.value for one in events.events(BEFORE_FIRST)] == [b"event"]
    site.make_alerts()
    with site.read_alerts() as feed:
        assert feed.last_event_offset() == 1
