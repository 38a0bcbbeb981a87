"""Triage in one process: what it is to find is found and said once, whatever is killed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import msgspec
import pytest

from detection import inline_host
from detection.across import Watch, Watching
from detection.inline import Inline, Kept
from detection.inline_host import Host, read_state
from detection.introduction import introduction
from detection.triage import SYSTEM, case_of
from engine.derivation import in_memory
from engine.errors import LogCorrupt
from engine.log.faults import Faults
from engine.log.memory import MemoryLog
from engine.log.records import Out
from schemas.accounts import OpenAccount
from schemas.alerts import Alert, alert_id, encode_alert
from schemas.cases import AlertsJoined, CaseOpened
from schemas.flags import FlagRaised, RaiseFlag
from schemas.parties import RegisterParty
from schemas.rejections import CommandRejected
from schemas.reported import ReportAlerts
from schemas.risk import Origin
from schemas.transfers import Transfer
from tests.hosting import Killed, Site
from tests.reactor_test import bank, of, told

BOOKS = ("main", "side", "third")
WATCHING = Watching(
    watches=(
        Watch("device", "in_many_books", "books", 3, 700),
        Watch("party", "passes_on", "passed_on", 1_000, 500),
    )
)


def opened(*carried: Sequence[str], introduced: bool = True, **how: object) -> Site:
    """Books with the parties `ann` and `bob`, an account each, that know triage."""
    site = bank(*carried, **how)
    for book in (one for books in carried for one in books):
        for name in ("ann", "bob"):
            told(site, RegisterParty, book, party=name, kind="person", name=name, status="active")
            told(site, OpenAccount, book, account=name, currency="EUR", party=name)
        if introduced:
            introduce(site, book)
    return site


def introduce(site: Site, book: str) -> None:
    """Under ids of its own: the site looks outcomes up by them."""
    said = introduction(book, "root", site.now)
    site.tell(*(msgspec.structs.replace(one, id=f"{one.id}-{book}") for one in said))


def use(site: Site, book: str, device: str, amount: int = 5) -> None:
    site.now += 1
    for debit, credit in (("nostro", "ann"), ("ann", "bob")):
        told(
            site,
            Transfer,
            book,
            debit=debit,
            credit=credit,
            amount=amount,
            currency="EUR",
            origin=Origin(device=device),
        )


class Triage:
    """The host over a site, with alerts of its own, begun anew where it was killed."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.file = folder / "triage.state"
        self.alerts = MemoryLog(clock=site.clock)
        self.output = in_memory(self.alerts)
        self.noticed: list[Alert] = []
        self.host = self.begun()

    def begun(self) -> Host:
        return Host(
            {number: one.log.reader() for number, one in enumerate(self.site.partitions)},
            {0: self.alerts.reader()},
            self.site._by_chance,
            self.file,
            make=lambda kept: Inline(kept, WATCHING),
            clock=self.site.clock,
        )

    def notice(self, number: int, party: str = "ann", book: str = "main") -> Alert:
        alert = Alert(
            id=alert_id(book, "fan_in", party, number),
            source="typology",
            kind="fan_in",
            version=1,
            book=book,
            at=self.site.now,
            first_at=self.site.now,
            day="2024-05-15",
            party=party,
            amount=100 * number,
        )
        self.output.append([Out(book.encode(), encode_alert(alert))], self.site.now)
        self.noticed.append(alert)
        return alert

    def run(self, steps: int = 1_000_000) -> None:
        """Work until nothing is left to do, or `steps` are over."""
        chance = self.site._chance or random.Random(0)
        idle = 0
        for _ in range(steps):
            try:
                done = sum(one.step() for one in self.site.partitions) + self.host.step()
                if chance.random() < 0.2:
                    self.host.save()
            except Killed:
                self.site.kills += 1
                self.host = self.begun()
                continue
            idle = 0 if done or self.host.inline.kept.asked else idle + 1
            if idle > 3:
                return
            self.site.now += chance.choice((1, 2_000))


def flags(site: Site) -> set[tuple[str, str, str, str]]:
    return {(one.book, one.subject, one.of, one.flag) for one in raised(site)}


def raised(site: Site) -> list[FlagRaised]:
    return [one for one in of(site, FlagRaised) if isinstance(one, FlagRaised)]


def joined(site: Site) -> list[tuple[str, str]]:
    """Each alert with its case, as often as it was joined."""
    return [
        (one.case, alert.id)
        for one in of(site, AlertsJoined)
        if isinstance(one, AlertsJoined)
        for alert in one.alerts
    ]


def test_an_alert_becomes_a_case_and_more_of_them_join_it(tmp_path: Path) -> None:
    site = opened(["main"])
    triage = Triage(site, tmp_path)
    first, second = triage.notice(1), triage.notice(2)
    triage.run()
    assert joined(site) == [(case_of(first), first.id), (case_of(first), second.id)]
    assert len(of(site, CaseOpened)) == 1
    assert site.book("main").cases.by_id[case_of(first)].priority == 50 + 100


def test_a_device_in_many_books_is_flagged_in_each_and_each_has_a_case(tmp_path: Path) -> None:
    site = opened(["main"], ["side", "third"])
    triage = Triage(site, tmp_path)
    for book in BOOKS:
        use(site, book, "phone")
    triage.run()
    assert flags(site) == {(book, "device", "phone", "in_many_books") for book in BOOKS}
    assert {one.book for one in of(site, CaseOpened)} == set(BOOKS)


def test_who_has_not_got_the_role_yet_is_asked_again(tmp_path: Path) -> None:
    site = opened(["main"], introduced=False)
    triage = Triage(site, tmp_path)
    triage.notice(1)
    triage.run(steps=30)
    assert of(site, CaseOpened) == []
    assert any(isinstance(one, CommandRejected) and one.actor == SYSTEM for one in of(site, CommandRejected))
    introduce(site, "main")
    site.now += 400_000
    triage.run()
    assert len(of(site, CaseOpened)) == 1


def test_what_is_kept_goes_on_where_it_was(tmp_path: Path) -> None:
    site = opened(["main"], ["side", "third"])
    triage = Triage(site, tmp_path)
    for book in BOOKS[:2]:
        use(site, book, "phone")
    triage.run()
    triage.host.save()
    assert read_state(triage.file) == triage.host.inline.kept
    triage.host = triage.begun()
    assert triage.host.inline.kept.events[0] > 0
    use(site, "third", "phone")
    triage.run()
    assert flags(site) == {(book, "device", "phone", "in_many_books") for book in BOOKS}


def test_without_its_state_it_says_again_what_it_said_and_nothing_comes_of_it(tmp_path: Path) -> None:
    site = opened(["main"], ["side", "third"])
    triage = Triage(site, tmp_path)
    for book in BOOKS:
        use(site, book, "phone")
    triage.notice(1)
    triage.run()
    before = (flags(site), sorted(joined(site)), len(raised(site)))
    triage.file.unlink(missing_ok=True)
    triage.host = triage.begun()
    triage.run()
    assert (flags(site), sorted(joined(site)), len(raised(site))) == before


def test_a_state_that_is_damaged_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "triage.state"
    file.write_bytes(b"no state")
    with pytest.raises(LogCorrupt, match="cannot be read"):
        read_state(file)
    assert read_state(tmp_path / "none") == Kept()


@pytest.mark.parametrize("seed", range(6))
def test_no_case_is_lost_or_doubled_and_no_flag_missed_whatever_is_killed(seed: int, tmp_path: Path) -> None:
    """The host dies before and after it sends and begins from an older state or none; engines crash around
    their commits; commands come twice, in another order, or get lost.
    """
    chance = random.Random(seed)
    carried = (["main", "third"], ["side"])
    faults = [Faults(seed=seed + one, commit_rate=0.1, submit_rate=0.1) for one in range(2)]
    site = opened(*carried, faults=faults, chance=chance)
    triage = Triage(site, tmp_path)
    for number in range(12):
        use(site, chance.choice(BOOKS), chance.choice(("phone", "tablet")), amount=chance.choice((5, 600)))
        triage.notice(number, chance.choice(("ann", "bob")), chance.choice(BOOKS))
        triage.run(steps=chance.randrange(5))
    triage.run()
    assert site.kills > 0
    twin = Inline(Kept(), WATCHING)
    wanted = [
        command
        for number, one in enumerate(site.partitions)
        for record in one.log.events(-1)
        for command in twin.event(record.value, number, record.offset)
    ]
    assert flags(site) == {
        (one.book, one.subject, one.of, one.flag) for one in wanted if isinstance(one, RaiseFlag)
    }
    streams = {(one.case, one.alerts[0].id) for one in wanted if isinstance(one, ReportAlerts)}
    found = joined(site)
    assert len(found) == len(set(found))
    assert set(found) == streams | {(case_of(one), one.id) for one in triage.noticed}
    cases = [one.case for one in of(site, CaseOpened) if isinstance(one, CaseOpened)]
    assert len(cases) == len(set(cases))


def test_the_state_is_written_after_so_many_records_or_so_much_time_and_not_with_nothing_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    triage = Triage(opened(["main"]), tmp_path)
    saved: list[float] = []
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr(inline_host, "write_whole", lambda *_: saved.append(now[0]))
    counts = iter([10, 0, 0, 0, inline_host.SAVE_RECORDS, 0])
    host, told = triage.host, Event()
    host._saved_s = host._swept_s = 0.0

    def looked() -> int:
        now[0] += 25.0
        count = next(counts, -1)
        if count < 0:
            told.set()
            return 0
        host._unsaved += count
        return count

    monkeypatch.setattr(host, "step", looked)
    host.run(told, lambda: None)
    assert saved == [75.0, 125.0, 175.0], "a minute after the first, the many at once, and the end"
