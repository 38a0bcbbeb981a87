"""`accounts`: what each account holds and may spend, its party, its blocks."""

from __future__ import annotations

from collections.abc import Iterator

from projections.copying import cell, instant, instant_or_null, json_text, rows_of
from projections.tables import Batch, Change, Execute, Index, Insert, Stage, Staging, Table
from schemas.accounts import AccountBlocked, AccountClosed, AccountOpened, BlockLifted, OverdraftSet
from schemas.catalogue import RESERVING_EVENTS
from schemas.message import Date

_AVAILABLE = "booked::numeric - held + overdraft"

ACCOUNTS = Table(
    "accounts",
    (
        ("book", "text NOT NULL"),
        ("account", "text NOT NULL"),
        ("kind", "text NOT NULL"),
        ("status", "text NOT NULL"),
        ("currency", "text NOT NULL"),
        ("party", "text NOT NULL"),
        ("product", "text NOT NULL"),
        ("branch", "text NOT NULL"),
        ("ledger", "text NOT NULL"),
        ("booked", "bigint NOT NULL"),
        ("held", "bigint NOT NULL"),
        ("overdraft", "bigint NOT NULL"),
        # The bank's own accounts have no floor, so what is available there is not a figure.
        (
            "available",
            f"numeric GENERATED ALWAYS AS (CASE WHEN kind = 'customer' THEN {_AVAILABLE} END) STORED",
        ),
        ("blocks", "jsonb NOT NULL"),
        ("opened_at", "timestamptz NOT NULL"),
        ("closed_at", "timestamptz"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "account"),
    indexes=(
        Index("accounts_party", "(book, party, account) WHERE party <> ''"),
        Index("accounts_ledger", "(book, ledger, account)"),
    ),
    options="fillfactor=80",  # room for balances to be updated within their page
)
TABLES = (ACCOUNTS,)

BALANCES = Staging(
    "staged_balances",
    'book text COLLATE "C", account text COLLATE "C", '
    "booking_date date, value_date date, booked bigint, debit numeric, credit numeric, seq bigint",
)
"""A row for each account that a batch has moved, and its dates; other read models settle from it too."""
SETTLE = """
UPDATE {schema}.accounts AS a SET booked = s.booked, seq = greatest(a.seq, s.seq)
FROM (SELECT DISTINCT ON (book, account) * FROM staged_balances ORDER BY book, account, seq DESC) AS s
WHERE a.book = s.book AND a.account = s.account
"""
HELD = Staging("staged_held", 'book text COLLATE "C", account text COLLATE "C", held bigint, seq bigint')
"""A row for each account of which a batch has reserved or released funds."""
SETTLE_HELD = """
UPDATE {schema}.accounts AS a SET held = s.held, seq = greatest(a.seq, s.seq)
FROM (SELECT DISTINCT ON (book, account) * FROM staged_held ORDER BY book, account, seq DESC) AS s
WHERE a.book = s.book AND a.account = s.account
"""
_WHERE = " WHERE book = %s AND account = %s"
_OVERDRAFT = "UPDATE {schema}.accounts SET overdraft = %s, seq = %s" + _WHERE
_BLOCK = "UPDATE {schema}.accounts SET blocks = blocks || %s::jsonb, seq = %s" + _WHERE
_LIFT = "UPDATE {schema}.accounts SET blocks = blocks - %s::text, seq = %s" + _WHERE
_CLOSE = (
    "UPDATE {schema}.accounts SET status = 'closed', blocks = '{{}}', closed_at = %s::timestamptz, seq = %s"
    + _WHERE
)


def changes(batch: Batch) -> Iterator[Change]:
    """New accounts, then what changed about accounts, then balances and what is held after the batch."""
    opened = [_opened(event) for event in batch.others if type(event) is AccountOpened]
    if opened:
        yield Insert(ACCOUNTS, rows_of(opened))
    for event in batch.others:
        match event:
            case OverdraftSet():
                yield Execute(_OVERDRAFT, [(event.overdraft, event.seq, event.book, event.account)])
            case AccountBlocked():
                yield Execute(_BLOCK, [(_block(event), event.seq, event.book, event.account)])
            case BlockLifted():
                yield Execute(_LIFT, [(event.block, event.seq, event.book, event.account)])
            case AccountClosed():
                yield Execute(_CLOSE, [(instant(event.at), event.seq, event.book, event.account)])
            case _:
                pass
    if batch.money:
        yield Stage(BALANCES, _balances(batch))
    held = _held(batch)
    if held:
        yield Stage(HELD, rows_of(held))


def _opened(event: AccountOpened) -> str:
    return (
        f"{cell(event.book)}\t{cell(event.account)}\t{event.kind}\topen\t{cell(event.currency)}\t"
        f"{cell(event.party)}\t{cell(event.product)}\t{cell(event.branch)}\t{cell(event.ledger)}\t"
        f"0\t0\t{event.overdraft}\t{{}}\t{instant(event.at)}\t\\N\t{event.seq}\n"
    )


def _block(event: AccountBlocked) -> str:
    block = {
        "direction": event.direction,
        "authority": event.authority,
        "reason": event.reason,
        "expires_at": instant_or_null(event.expires_at_ms),
    }
    return json_text({event.block: block})


def _held(batch: Batch) -> list[str]:
    """One row an account: what is held after the last event that says so, and its seq."""
    held: dict[tuple[str, str], tuple[int, int]] = {}
    for event in batch.others:
        if type(event) in RESERVING_EVENTS:
            for one in event.reserves:  # type: ignore[attr-defined]
                held[event.book, one.account] = (one.held, event.seq)
    return [
        f"{cell(book)}\t{cell(account)}\t{after}\t{seq}\n" for (book, account), (after, seq) in held.items()
    ]


def _balances(batch: Batch) -> bytes:
    """One row an account, booking date and value date: the balance after the last posting, what was debited
    and credited, the last seq.
    """
    dates: dict[tuple[str, Date, Date], dict[str, list[int]]] = {}
    for event, _, _ in batch.money:
        moved = dates.setdefault((event.book, event.booking_date, event.value_date), {})
        seq = event.seq
        for posting in event.postings:
            amount = posting.amount
            row = moved.get(posting.account)
            if row is None:
                row = moved[posting.account] = [0, 0, 0, 0]
            row[0] = posting.balance
            row[1 if amount < 0 else 2] += abs(amount)
            row[3] = seq
    return rows_of(
        [
            f"{cell(book)}\t{cell(account)}\t{booked}\t{valued}\t{after}\t{debit}\t{credit}\t{seq}\n"
            for (book, booked, valued), moved in dates.items()
            for account, (after, debit, credit, seq) in moved.items()
        ]
    )
