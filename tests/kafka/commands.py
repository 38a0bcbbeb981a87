"""The commands of the load, drawn by a seed: most are good, some are refused, some are no commands at all."""

import random
from typing import Any, Final

from tests.kafka.words import CURRENCY, CUSTOMERS, envelope, value_of

NOBODY: Final = "nobody"
KINDS: Final = (
    ("transfer", 60),
    ("send", 14),
    ("hold", 10),
    ("open", 6),
    ("capture", 4),
    ("release", 4),
    ("overdraw", 1),
    ("nonsense", 1),
)
"""How many of a hundred commands are of which kind."""


class Commands:
    """Draws one command after another for the books, under the ids of one system."""

    def __init__(self, system: str, books: list[str], seed: int) -> None:
        self._system = system
        self._books = books
        self._chance = random.Random(seed)
        self._number = 0
        self._accounts = {book: [f"a{n}" for n in range(1, CUSTOMERS + 1)] for book in books}
        self._holds: dict[str, list[tuple[str, int]]] = {book: [] for book in books}
        self._kinds = [kind for kind, share in KINDS for _ in range(share)]

    def next(self) -> tuple[str, str, bytes]:
        """The command's id, its book, and its value."""
        self._number += 1
        name = f"{self._system}-{self._number}"
        book = self._chance.choice(self._books)
        kind = self._chance.choice(self._kinds)
        if kind == "nonsense":
            return name, book, f'{{"id":"{name}","nonsense'.encode()
        return name, book, value_of({**envelope(name, book, self._system), **self._one(kind, book)})

    def _one(self, kind: str, book: str) -> dict[str, Any]:
        chance, accounts, holds = self._chance, self._accounts[book], self._holds[book]
        amount = chance.choice((1, 99, 10_00, 250_00))
        money = {"amount": amount, "currency": CURRENCY}
        match kind:
            case "open":
                accounts.append(name := f"{self._system}-a{self._number}")
                return {"type": "OpenAccount", "account": name, "party": "p1", "currency": CURRENCY}
            case "hold":
                holds.append((name := f"{self._system}-h{self._number}", amount))
                hold = {"hold": name, "account": chance.choice(accounts), **money}
                return {"type": "PlaceHold", **hold, "expires_after_s": chance.choice((1, 2, 3, 10, 3_600))}
            case "capture" if holds:
                name, held = holds[chance.randrange(len(holds))]
                captured = {"hold": name, "amount": max(1, held // 3), "credit": chance.choice(accounts)}
                return {"type": "CaptureHold", **captured, "final": chance.random() < 0.5}
            case "release" if holds:
                name, _ = holds.pop(chance.randrange(len(holds)))
                return {"type": "ReleaseHold", "hold": name, "reason": "not needed"}
            case "send" if len(self._books) > 1:
                other = chance.choice([one for one in self._books if one != book])
                there = NOBODY if chance.random() < 0.2 else f"a{chance.randint(1, CUSTOMERS)}"
                return {
                    "type": "SendToBook",
                    "transfer": f"{self._system}-x{self._number}",
                    "account": chance.choice(accounts),
                    **money,
                    "to_book": other,
                    "to_account": there,
                }
            case "overdraw":
                money["amount"] = 10**12
            case _:
                pass
        debit, credit = chance.sample(accounts, 2)
        return {"type": "Transfer", "debit": debit, "credit": credit, **money}
