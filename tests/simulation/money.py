"""What holds of money at every moment, wherever payments between the books are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from book.crossings import Crossing
from book.state import Book

BANKS_AND_CUSTOMERS = frozenset({"customer", "nostro"})


def on_the_way(book: Book) -> Iterator[tuple[str, int, Crossing]]:
    """What the book has sent and not settled: to which book, under which number."""
    for to, other in book.crossings.others.items():
        for number, crossing in other.on_the_way.items():
            yield to, number, crossing


def is_conserved(books: Mapping[str, Book]) -> list[str]:
    """What does not add up. All books together are one ledger: what one has of the others, they owe it."""
    total: Counter[str] = Counter()
    between: Counter[tuple[str, str, str]] = Counter()
    problems: list[str] = []
    for name, book in books.items():
        held: Counter[str] = Counter()
        for to, number, crossing in on_the_way(book):
            held[crossing.account] += crossing.amount
            held[crossing.inter_book] += crossing.amount
            if _is_credited(books, name, to, number):
                # The payer still has it, and so has the payee.
                total[crossing.currency] -= crossing.amount
                between[*sorted((name, to)), crossing.currency] += crossing.amount  # type: ignore[index]
        for hold in book.holds.values():
            held[hold.account] += hold.left
        for account_id, account in book.accounts.items():
            if account.held != held[account_id]:
                problems.append(
                    f"{name}/{account_id} holds {account.held}, for what is open {held[account_id]}"
                )
            if account.kind in BANKS_AND_CUSTOMERS:
                total[account.currency] += account.booked
            elif account.kind == "inter_book":
                pair = sorted((name, account_id.partition("-")[0]))
                between[*pair, account.currency] += account.booked  # type: ignore[index]
    problems += [f"{amount} {currency} were made or lost" for currency, amount in total.items() if amount]
    problems += [f"the two sides of {pair} differ by {amount}" for pair, amount in between.items() if amount]
    return problems


def _is_credited(books: Mapping[str, Book], source: str, to: str, number: int) -> bool:
    other = books[to].crossings.others.get(source)
    if other is None:
        return False
    assert not other.is_settled(number), "nothing is forgotten before its source has settled it"
    return number in other.answered and other.answered[number].refused is None


def is_settled(books: Mapping[str, Book]) -> list[str]:
    """What of payments is left, when all that was sent should be over."""
    problems: list[str] = []
    for name, book in books.items():
        if book.crossings.on_the_way:
            problems.append(f"payments of {name} are still on their way")
        for to, other in book.crossings.others.items():
            if other.on_the_way or other.answered or other.settled_beyond:
                problems.append(f"{name} still remembers payments to or from {to}")
    return problems
