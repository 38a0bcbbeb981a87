"""Alerts as they stand in their log, with the events behind one. They are for risk staff alone."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Final

import msgspec

from console.feeds import print_event
from console.output import Output, utc
from engine.errors import WrongUse
from engine.home import Home
from engine.log.records import BEFORE_FIRST
from engine.settings import Settings
from engine.site import Site
from schemas.alerts import Alert, decode_alert
from schemas.money import EXPONENTS, format_minor

WAIT_S: Final = 0.2


class Wanted(msgspec.Struct, frozen=True):
    """Which alerts are asked for; what is empty admits all. since: a day of the book, YYYY-MM-DD."""

    kind: str = ""
    party: str = ""
    book: str = ""
    since: str = ""

    def admits(self, alert: Alert) -> bool:
        """Whether it is one of them. A kind admits the rules of a document, too."""
        return (
            self.kind in ("", alert.kind, alert.kind.partition("/")[0])
            and self.party in ("", alert.party)
            and self.book in ("", alert.book)
            and self.since <= alert.day
        )


def alerts(output: Output, home: Home, settings: Settings, wanted: Wanted, *, follow: bool) -> int:
    """Print them, in the order of their log; returns how many there were."""
    site = Site(home, settings)
    count = 0
    with contextlib.ExitStack() as stack:
        feeds = [stack.enter_context(site.read_alerts(partition)) for partition in _partitions(site, wanted)]
        places = [BEFORE_FIRST] * len(feeds)
        while True:
            for number, feed in enumerate(feeds):
                for record in feed.events(places[number]):
                    places[number] = record.offset
                    alert = decode_alert(record.value)
                    if wanted.admits(alert):
                        count += 1
                        output.line(record.value)
                        output.say(_line(alert))
            if not follow:
                return count
            time.sleep(WAIT_S)


def show(output: Output, home: Home, settings: Settings, alert_id: str) -> None:
    """Print an alert, and every event that is evidence for it. Raises WrongUse where there is none such."""
    site = Site(home, settings)
    alert = _found(site, alert_id)
    output.say(_line(alert))
    output.say(alert.words)
    output.table("", ["", ">"], [[name.replace("_", " "), value] for name, value in alert.figures.items()])
    output.head("The events behind it")
    output.line(msgspec.json.encode(alert))
    wanted = {seen.seq for seen in alert.evidence}
    last = max(wanted, default=0)
    with site.read_book(alert.book) as log:
        for record in log.events(BEFORE_FIRST):
            if record.key != alert.book.encode():
                continue
            seq = _seq(record.value).seq
            if seq in wanted:
                print_event(output, record)
            if seq >= last:
                return


class _Seq(msgspec.Struct):
    seq: int


_seq = msgspec.json.Decoder(_Seq).decode


def _found(site: Site, alert_id: str) -> Alert:
    for alert in _all(site):
        if alert.id == alert_id:
            return alert
    raise WrongUse(f"There is no alert {alert_id}.", "`daybook alerts --json` lists them with their ids.")


def _all(site: Site) -> Iterator[Alert]:
    for partition in site.partitions:
        with site.read_alerts(partition) as feed:
            for record in feed.events(BEFORE_FIRST):
                yield decode_alert(record.value)


def _partitions(site: Site, wanted: Wanted) -> list[int]:
    return [site.partition_of(wanted.book)] if wanted.book else list(site.partitions)


def _line(alert: Alert) -> str:
    """One line for people."""
    about = alert.account or alert.party or alert.payee or alert.device
    digits = EXPONENTS.get(alert.currency, 0)  # of an asset: minor units, as only its book knows its places
    amount = f"  {format_minor(alert.amount, digits)} {alert.currency}" if alert.currency else ""
    tried = "  (shadow)" if alert.shadow else ""
    return (
        f"{alert.id}  {utc(alert.at)}  {alert.book}  {alert.kind}@{alert.version}  {about}  "
        f"{alert.confidence / 10:g} % sure{amount}{tried}"
    )
