"""`entries`: one row a posting, with the balance after it. For statements by booking and value date."""

from __future__ import annotations

from collections.abc import Iterator

from projections.copying import escape_for, rows_of
from projections.tables import Batch, Change, Index, Insert, Table

ENTRIES = Table(
    "entries",
    (
        ("book", "text NOT NULL"),
        ("account", "text NOT NULL"),
        ("booking_date", "date NOT NULL"),
        ("seq", "bigint NOT NULL"),
        ("leg", "integer NOT NULL"),
        ("amount", "bigint NOT NULL"),
        ("currency", "text NOT NULL"),
        ("balance", "bigint NOT NULL"),
        ("value_date", "date NOT NULL"),
        ("at", "timestamptz NOT NULL"),
        ("type", "text NOT NULL"),
        ("counter_account", "text NOT NULL"),
        ("reference", "text NOT NULL"),
    ),
    # Business dates never go back, so within an account this is also the order of seq. Leg: a posting may
    # move the same account twice.
    key=("book", "account", "booking_date", "seq", "leg"),
    # All but these have value date = booking date, so a statement by value date is the key and this.
    indexes=(
        Index(
            "entries_other_dated",
            "(book, account, value_date, booking_date, seq, leg) WHERE value_date <> booking_date",
        ),
    ),
    bulk=True,
)
TABLES = (ENTRIES,)


def changes(batch: Batch) -> Iterator[Change]:
    """A row for each posting."""
    lines: list[str] = []
    add = lines.append
    days: dict[object, str] = {}
    for event, value, at in batch.money:
        text = escape_for(value)
        booking, valued = event.booking_date, event.value_date
        booked_on = days.get(booking) or days.setdefault(booking, str(booking))
        valued_on = days.get(valued) or days.setdefault(valued, str(valued))
        # What is taken back has a reason instead.
        said = str(getattr(event, "reference", getattr(event, "reason", "")))
        seq = event.seq
        head = f"{text(event.book)}\t"
        tail = f"\t{valued_on}\t{at}\t{type(event).__name__}\t"
        said = f"\t{text(said)}\n"
        postings = event.postings
        if len(postings) == 2:
            one, two = postings
            a, b = text(one.account), text(two.account)
            add(
                f"{head}{a}\t{booked_on}\t{seq}\t1\t{one.amount}\t{one.currency}\t{one.balance}{tail}{b}{said}"
            )
            add(
                f"{head}{b}\t{booked_on}\t{seq}\t2\t{two.amount}\t{two.currency}\t{two.balance}{tail}{a}{said}"
            )
            continue
        for leg, one in enumerate(postings, 1):
            add(
                f"{head}{text(one.account)}\t{booked_on}\t{seq}\t{leg}\t{one.amount}\t{one.currency}\t"
                f"{one.balance}{tail}{said}"
            )
    if lines:
        yield Insert(ENTRIES, rows_of(lines))
