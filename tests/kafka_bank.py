"""A home on Kafka with a book on every partition, and somebody who moves money in them."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from console.sites import Topics, administrator, make_home
from engine.embedded import EachPartition
from engine.home import Home, HomeFile
from engine.log.records import Out
from engine.settings import Settings
from engine.site import Site
from schemas.accounts import OpenAccount
from schemas.books import OpenBook
from schemas.catalogue import decode_event, encode
from schemas.message import Command
from schemas.rejections import CommandRejected
from schemas.transfers import Transfer
from tests.kafka_servers import unused_prefix

PARTITIONS = 3
BOOKS = [f"book-{number}" for number in range(6)]
NOW_MS = 1_767_225_600_000


def new_site(bootstrap: str, root: Path, partitions: int = PARTITIONS) -> Site:
    """A home whose topics are made and begun."""
    settings = Settings(
        home=root, kafka_bootstrap=bootstrap, topic_prefix=unused_prefix(), group_session_ms=6_000
    )
    make_home(root, settings, HomeFile(1, "admin", log="kafka"), Topics(partitions, 1))
    return Site(Home(root), settings)


class Bank:
    """Six books with a till and a vault each, decided in this process."""

    def __init__(self, site: Site, stack: contextlib.ExitStack) -> None:
        self.site = site
        self.engine = EachPartition(site, stack)
        self.moved = 0
        admin = (administrator("admin"),)
        assert {site.partition_of(book) for book in BOOKS} == set(site.partitions)
        for book in BOOKS:
            opening = {"name": book, "currency": "EUR", "administrators": admin, "clock": "commanded"}
            self.tell(self.said(OpenBook, book, **opening))
            for account in ("till", "vault"):
                self.tell(self.said(OpenAccount, book, account=account, currency="EUR", kind="nostro"))

    def said(self, kind: type[Command], book: str, /, **fields: Any) -> Command:
        return kind(id=f"c-{secrets.token_hex(8)}", book=book, actor="admin", issued_at_ms=NOW_MS, **fields)

    def move(self, times: int) -> None:
        """Move 1.00 from till to vault in every book, so many times."""
        fields = {"debit": "till", "credit": "vault", "amount": 100, "currency": "EUR"}
        self.tell(*(self.said(Transfer, book, **fields) for _ in range(times) for book in BOOKS))
        self.moved += times

    def tell(self, *commands: Command) -> None:
        for answer in self.engine.submit([Out(one.book.encode(), encode(one)) for one in commands]):
            assert not isinstance(event := decode_event(answer[0]), CommandRejected), event


@contextlib.contextmanager
def bank_on(bootstrap: str, root: Path) -> Iterator[Bank]:
    """The bank of a new home."""
    with contextlib.ExitStack() as stack:
        yield Bank(new_site(bootstrap, root), stack)
