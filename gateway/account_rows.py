"""The rows of an import's second file as parties, accounts and opening balances."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gateway.csv_file import CsvFile
from gateway.history import ACCOUNTS
from gateway.mapping import AccountsPart, Mapping
from gateway.steps import BadRow, Envelope, Step, fields_of, known_currency, optional_column
from gateway.values import amount_reader, new_id_text, plain_text
from schemas.accounts import OpenAccount
from schemas.message import Command
from schemas.parties import RegisterParty
from schemas.transfers import Transfer


class AccountLine(NamedTuple):
    """A row of the accounts file. opening, overdraft: minor units; the opening balance is signed."""

    account: str
    party: str
    name: str
    currency: str
    opening: int
    overdraft: int


class Accounts:
    """The parties, accounts and opening balances of the second file."""

    def __init__(self, file: CsvFile, part: AccountsPart, mapping: Mapping) -> None:
        columns = part.columns
        self.file = file
        self._part = part
        self._mapping = mapping
        self._account = file.column(columns.account, "accounts.columns.account")
        self._opening = optional_column(file, columns.opening_balance, "accounts.columns.opening_balance")
        self._party = self._account
        if columns.party is not None:
            self._party = file.column(columns.party, "accounts.columns.party")
        self._name = optional_column(file, columns.name, "accounts.columns.name")
        self._currency = optional_column(file, columns.currency, "accounts.columns.currency")
        self._overdraft = optional_column(file, columns.overdraft, "accounts.columns.overdraft")
        self._read_amount = amount_reader(part.amount or mapping.amount)

    def steps(
        self, envelope: Envelope, at_ms: int, accounts: set[str], parties: set[str]
    ) -> Iterator[Step | BadRow]:
        """The commands of each row. accounts, parties: those that are there already, and are left as they
        are.
        """
        name = self.file.path.name
        made = set(parties)
        funded: set[str] = set()
        for row in self.file.rows():
            try:
                line = self._read(fields_of(row))
            except ValueError as error:
                yield BadRow(name, row.line, str(error))
                continue
            if line.account in accounts:
                continue
            funding = self._funding(line.currency)
            commands: list[tuple[int, type[Command], dict[str, object]]] = []
            if line.currency not in funded and funding not in accounts:
                commands.append(
                    (0, OpenAccount, {"account": funding, "currency": line.currency, "kind": "nostro"})
                )
            if line.party not in made:
                commands.append((1, RegisterParty, self._party_fields(line)))
            commands.append((2, OpenAccount, self._account_fields(line)))
            if line.opening:
                commands.append((3, Transfer, _opening_fields(line, funding)))
            funded.add(line.currency)
            made.add(line.party)
            for part, kind, fields in commands:
                yield envelope.step(kind, (ACCOUNTS, row.number, part), at_ms, (name, row.line), fields)

    def _read(self, fields: list[str]) -> AccountLine:
        ids = self._mapping.ids
        currency = self._currency_of(fields)
        overdraft = self._amount_of(fields, self._overdraft, currency)
        if overdraft < 0:
            raise ValueError(f"the overdraft {overdraft} is below zero")
        return AccountLine(
            account=new_id_text(fields[self._account].strip(), ids.account, "account"),
            party=new_id_text(fields[self._party].strip(), ids.party, "party"),
            name="" if self._name is None else plain_text(fields[self._name], "name", 500),
            currency=currency,
            opening=self._amount_of(fields, self._opening, currency),
            overdraft=overdraft,
        )

    def _funding(self, currency: str) -> str:
        funding = self._part.funding
        return funding if currency == self._mapping.book.currency else f"{funding}-{currency}"

    def _party_fields(self, line: AccountLine) -> dict[str, object]:
        return {"party": line.party, "kind": self._part.party_kind, "name": line.name, "status": "active"}

    def _account_fields(self, line: AccountLine) -> dict[str, object]:
        return {
            "account": line.account,
            "currency": line.currency,
            "party": line.party,
            "product": self._part.product,
            "overdraft": line.overdraft,
        }

    def _currency_of(self, fields: list[str]) -> str:
        return (
            self._mapping.book.currency if self._currency is None else known_currency(fields[self._currency])
        )

    def _amount_of(self, fields: list[str], column: int | None, currency: str) -> int:
        return 0 if column is None else self._read_amount(fields[column], currency)


def _opening_fields(line: AccountLine, funding: str) -> dict[str, object]:
    debit, credit = (funding, line.account) if line.opening > 0 else (line.account, funding)
    return {
        "debit": debit,
        "credit": credit,
        "amount": abs(line.opening),
        "currency": line.currency,
        "reference": "opening balance",
    }
