"""What goes wrong at the demo bank, on purpose: each kind in words, with the answer it must get."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from engine.log.records import Out
from gateway.demo_day import HOUR_MS, SOME_OF, Day
from gateway.demo_opening import AUDITOR, PAYMENTS, SETTLEMENT, TELLER_LIMIT, TELLERS
from gateway.demo_pen import REPEATED, Moved
from schemas.books import DAY_MS
from schemas.catalogue import encode
from schemas.transfers import Transfer
from schemas.value_dates import FURTHEST_DAYS

SYSTEM_KEY = b"~system"
TOO_LATE_DAYS = 10
"""A command this old is older than the ids that the book remembers, once the bank has been open longer."""


class Mistakes:
    """Plans what goes wrong on a day of the given `Day`."""

    def __init__(self, day: Day, first_ms: int) -> None:
        self._day = day
        self._pen = day.pen
        self._draw = day.draw
        self._persons = day.everyone.persons
        self._first_ms = first_ms

    def plan(self, from_ms: int) -> None:
        """Some of everything."""
        often: tuple[Callable[[int], None], ...] = (
            self._too_much,
            self._unknown_account,
            self._wrong_currency,
            self._to_oneself,
            self._future_value_date,
            self._closed_period,
            self._auditor_pays,
            self._over_teller_limit,
            self._stranger_pays,
            self._send_again,
            self._use_id_again,
            self._rubbish,
            self._unknown_book,
        )
        for what in often:
            for _ in range(max(1, len(self._persons) // SOME_OF)):
                self._day.plan(self._day.some_time(from_ms), what)
        self._day.plan(from_ms + self._draw.between(9 * HOUR_MS, 17 * HOUR_MS), self._too_late)

    def _transfer(
        self,
        kind: str,
        reason: str,
        at_ms: int,
        *,
        actor: str = PAYMENTS,
        credit: str = SETTLEMENT,
        amount: int = 10_00,
        over: bool = False,
        currency: str = "EUR",
        value_date: datetime.date | None = None,
    ) -> None:
        who = self._day.someone(at_ms)
        if who is None:
            return
        if over:
            amount += max(0, self._pen.balances[who.account])
        self._day.refused(
            kind,
            reason,
            actor,
            at_ms,
            who.account,
            credit or who.account,
            amount,
            currency=currency,
            value_date=value_date,
        )

    def _too_much(self, at_ms: int) -> None:
        self._transfer(
            "pay more than there is",
            "insufficient_funds",
            at_ms,
            over=True,
            amount=self._draw.between(1, 900_00),
        )

    def _unknown_account(self, at_ms: int) -> None:
        wrong = f"current-{self._draw.below(90_000) + 1:05d}x"
        self._transfer("pay to an account that does not exist", "account_not_found", at_ms, credit=wrong)

    def _wrong_currency(self, at_ms: int) -> None:
        self._transfer(
            "pay in another currency than the account's", "currency_mismatch", at_ms, currency="USD"
        )

    def _to_oneself(self, at_ms: int) -> None:
        self._transfer("pay to the same account", "same_account", at_ms, credit="")

    def _future_value_date(self, at_ms: int) -> None:
        ahead = self._pen.day + datetime.timedelta(days=FURTHEST_DAYS + self._draw.between(2, 9))
        self._transfer("pay with a value date too far ahead", "value_date_in_future", at_ms, value_date=ahead)

    def _closed_period(self, at_ms: int) -> None:
        long_ago = self._pen.day - datetime.timedelta(days=self._draw.between(400, 900))
        self._transfer("pay with a value date long ago", "period_not_open", at_ms, value_date=long_ago)

    def _auditor_pays(self, at_ms: int) -> None:
        self._transfer("pay as an auditor", "not_permitted", at_ms, actor=AUDITOR)

    def _over_teller_limit(self, at_ms: int) -> None:
        teller = self._draw.of(TELLERS)
        self._transfer(
            "pay over a teller's limit", "not_permitted", at_ms, actor=teller, amount=TELLER_LIMIT + 1
        )

    def _stranger_pays(self, at_ms: int) -> None:
        who = self._draw.of(self._persons)
        victim = self._draw.of(self._persons)
        if who is not victim:
            actor = who.user or "nobody"
            self._day.refused(
                "pay from somebody else's account",
                "not_permitted",
                actor,
                at_ms,
                victim.account,
                who.account,
                99_00,
            )

    def _recent(self) -> Moved | None:
        """A transfer from the last days."""
        known = self._day.bought if self._draw.one_in(2) else self._day.moved
        moved = self._draw.of(known) if known else None
        if moved is None or moved.command.issued_at_ms < self._pen.at_ms - 5 * DAY_MS:
            return None
        return moved

    def _send_again(self, at_ms: int) -> None:
        moved = self._recent()
        if moved is not None:
            self._pen.send("send the same again", moved.out, moved.command.issued_at_ms, REPEATED)

    def _use_id_again(self, at_ms: int) -> None:
        moved = self._recent()
        if moved is not None:
            one = moved.command
            other = Transfer(
                id=one.id,
                book=one.book,
                actor=one.actor,
                issued_at_ms=at_ms,
                debit=one.debit,
                credit=one.credit,
                amount=one.amount + 1,
                currency=one.currency,
            )
            self._pen.send(
                "use an id for something else", Out(self._pen.key, encode(other)), at_ms, "id_reused"
            )

    def _rubbish(self, at_ms: int) -> None:
        rubbish = self._draw.of(
            (
                b'{"type":"Transfer","id":"cut off',
                b'{"type":"Transfer","id":"n1","book":"demo","actor":"cards","issued_at_ms":1,"amount":-5}',
                b'{"type":"MoveMoney","id":"n2","book":"demo","actor":"cards","issued_at_ms":1}',
                b"\xff\xfe\x00 not even text",
                b"[]",
            )
        )
        self._pen.send_elsewhere("send what is no command", Out(SYSTEM_KEY, rubbish), "undecodable")

    def _unknown_book(self, at_ms: int) -> None:
        command = Transfer(
            id=f"astray-{at_ms}",
            book="another-bank",
            actor=PAYMENTS,
            issued_at_ms=at_ms,
            debit="a",
            credit="b",
            amount=1,
            currency="EUR",
        )
        out = Out(b"another-bank", encode(command))
        self._pen.send_elsewhere("send to a book that does not exist", out, "unknown_book")

    def _too_late(self, at_ms: int) -> None:
        issued_ms = at_ms - TOO_LATE_DAYS * DAY_MS
        if issued_ms > self._first_ms + DAY_MS:
            self._transfer("send what is ten days old", "too_old", issued_ms)
