"""What the demo shows: five tables that tell what a month of the bank was, and what to type next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from book.state import Book
from console.output import Output
from engine.home import Home
from gateway.demo_bank import DemoBank
from projections.database import connect
from projections.queries import business_days, trial_balance
from schemas.money import EXPONENTS, format_minor
from schemas.rejections import CATALOGUE


def show(
    output: Output, dsn: str, book: Book, bank: DemoBank, outcomes: Counter[str], events: Counter[str]
) -> None:
    """The five tables."""
    output.head("What was asked for, and what it was answered")
    output.table(
        "",
        ["what", "answer", ">commands"],
        [(line.kind, line.expected or "accepted", f"{line.commands:,}") for line in bank.story()],
    )
    output.head("Why some of it was refused")
    output.table(
        "",
        ["reason", ">commands", "the caller is told", "and should"],
        [
            (reason, f"{count:,}", CATALOGUE[reason].text, CATALOGUE[reason].advice)
            for reason, count in outcomes.most_common()
            if reason in CATALOGUE
        ],
    )
    output.head("What happened: the events of accepted commands")
    output.table("", ["event", ">times"], [(name, f"{count:,}") for name, count in events.most_common()])
    with connect(dsn) as session:
        output.head("The trial balance, from PostgreSQL: it sums to zero")
        lines = trial_balance(session, book.id)
        output.table(
            "",
            ["ledger", "name", "currency", ">debit", ">credit", ">balance"],
            [
                *(
                    (
                        line.ledger,
                        line.name,
                        line.currency,
                        *(_money(x, line.currency) for x in (line.debit, line.credit, line.balance)),
                    )
                    for line in lines
                ),
                *(
                    (
                        "",
                        "Sum",
                        currency,
                        "",
                        "",
                        _money(sum(x.balance for x in lines if x.currency == currency), currency),
                    )
                    for currency in sorted({line.currency for line in lines})
                ),
            ],
        )
        output.head("The last business days")
        output.table(
            "",
            ["business date", ">events", "began at (UTC)"],
            [
                (
                    day.business_date.isoformat(),
                    f"{(day.last_seq or book.seq) - day.first_seq + 1:,}",
                    day.began_at.strftime("%Y-%m-%d %H:%M"),
                )
                for day in business_days(session, book.id)[-7:]
            ],
        )


def what_next(output: Output, home: Home, book: Book, exports: Sequence[str] = ()) -> None:
    """Commands to type, on an account that tells something."""
    busy = Counter[str]()
    for day in book.posted[-7:]:
        for posted in day.transfers.values():
            busy.update(account for account, _ in posted.legs if book.accounts[account].kind == "customer")
    account = busy.most_common(1)[0][0]
    output.head("Next")
    for one in (f"DAYBOOK_HOME={home}", *exports):
        output.say(f"export {one}")
    for command in (
        f"account {account} --book {book.id}",
        f"statement {account} --book {book.id}",
        f"audit --entity {account}",
        "documents history --book a-day",
        "alerts --book a-risk-desk",
        "rules explain flat-deposit --book a-risk-desk",
        "replay verify",
        "replay redecide",
        "replay rebuild",
        "replay receipt --out receipt.json",
    ):
        output.say(f"./daybook {command}")


def _money(amount_minor: int, currency: str) -> str:
    return format_minor(amount_minor, EXPONENTS.get(currency, 0))
