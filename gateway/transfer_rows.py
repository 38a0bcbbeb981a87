"""The rows of an import's main file as transfers."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from commands.calendar import local_date, midnight_ms
from engine.log.records import Out
from gateway.csv_file import CsvFile
from gateway.errors import ImportRefused
from gateway.history import ROWS, id_of
from gateway.mapping import Mapping
from gateway.steps import BadRow, Envelope, Step, fields_of, known_currency, optional_column
from gateway.values import amount_reader, id_text, plain_text, time_reader
from schemas.books import DAY_MS
from schemas.catalogue import encode
from schemas.transfers import Transfer


class Transfers:
    """The transfers of the main file."""

    def __init__(self, file: CsvFile, mapping: Mapping) -> None:
        columns = mapping.columns
        self.file = file
        self._mapping = mapping
        self._debit = file.column(columns.debit, "columns.debit")
        self._credit = file.column(columns.credit, "columns.credit")
        self._amount = file.column(columns.amount, "columns.amount")
        self._time = file.column(columns.time, "columns.time")
        self._reference = optional_column(file, columns.reference, "columns.reference")
        self._currency = optional_column(file, columns.currency, "columns.currency")
        self._read_time = time_reader(mapping.time, mapping.book.time_zone)
        self._read_amount = amount_reader(mapping.amount)

    def opens_at_ms(self) -> int:
        """When the book opens: midnight of `opened_on`, or of the first row's day. Raises ImportRefused
        where no row has a time.
        """
        zone, opened_on = self._mapping.book.time_zone, self._mapping.book.opened_on
        if opened_on is not None:
            return midnight_ms(zone, opened_on)
        problem = "it has no rows"
        for row in self.file.rows():
            try:
                return midnight_ms(zone, local_date(zone, self._read_time(fields_of(row)[self._time])))
            except ValueError as error:
                problem = f"no row of it has a time; line {row.line}: {error}"
        raise ImportRefused(f"{self.file.path.name}: {problem}.")

    def steps(
        self, envelope: Envelope, from_ms: int, answered: int = 0, now_ms: int = 0
    ) -> Iterator[Step | BadRow]:
        """A transfer for each row. Book time never goes back: a row older than the one before it is booked
        now, with the value date of its own day.

        answered: the row up to which nothing will be sent.   now_ms: the book's time behind it, which others
        may have moved on meanwhile.
        """
        name, zone = self.file.path.name, self._mapping.book.time_zone
        book, actor, mark = envelope.book, envelope.actor, envelope.mark
        key = book.encode()
        now, farthest = from_ms, self._mapping.time.largest_gap_days
        debit, credit, amount, time = self._debit, self._credit, self._amount, self._time
        prefix, default = self._mapping.ids.account, self._mapping.book.currency
        for row in self.file.rows():
            try:
                fields = fields_of(row)
                at_ms = self._read_time(fields[time])
                currency = default if self._currency is None else known_currency(fields[self._currency])
                if at_ms - now > farthest * DAY_MS:
                    late = (at_ms - now) // DAY_MS
                    raise ValueError(f"the time {fields[time][:40]!r} is {late} days after the row before")
                issued_ms = max(at_ms, now)
                if issued_ms < now_ms and row.number > answered:
                    issued_ms = now_ms
                command = Transfer(
                    id=id_of(mark, (ROWS, row.number, 0)),
                    book=book,
                    actor=actor,
                    issued_at_ms=issued_ms,
                    debit=id_text(fields[debit].strip(), prefix, "debit account"),
                    credit=id_text(fields[credit].strip(), prefix, "credit account"),
                    amount=_above_zero(self._read_amount(fields[amount], currency), fields[amount]),
                    currency=currency,
                    value_date=_earlier_day(zone, at_ms, issued_ms),
                    reference=""
                    if self._reference is None
                    else plain_text(fields[self._reference], "reference", 500),
                )
            except ValueError as error:
                yield BadRow(name, row.line, str(error))
                continue
            now = max(at_ms, now)
            yield Step((ROWS, row.number, 0), Out(key, encode(command)), name, row.line)


def _above_zero(amount: int, text: str) -> int:
    if amount <= 0:
        raise ValueError(f"the amount {text!r} is not above zero")
    return amount


def _earlier_day(zone: str, at_ms: int, issued_ms: int) -> datetime.date | None:
    """The row's own day, where it is before the day on which it is booked."""
    if at_ms == issued_ms:
        return None
    day = local_date(zone, at_ms)
    return day if day < local_date(zone, issued_ms) else None
