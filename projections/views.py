"""The views of `reporting`, column by column, with what each means. Nothing personal or restricted shows."""

from __future__ import annotations

from projections import (
    approvals_views,
    bulks,
    case_views,
    cross_book,
    documents,
    exchange,
    holds,
    ledger_views,
    orders,
    payment_views,
    payments_in,
    positions,
    risk_views,
    value_dates,
)
from projections.fees import VIEWS as FEES
from projections.limits import VIEWS as LIMITS
from projections.view import (
    ACCOUNT,
    AT,
    BOOK,
    CURRENCY,
    LEDGER,
    MASK,
    PARTY,
    SEQ,
    TOLD_FIGURES,
    TOLD_REASON,
    Column,
    View,
    amount,
    one_of,
    shown,
)
from schemas.accounts import BY_HOLDER
from schemas.money import EXPONENTS
from schemas.outcomes import BY_STAFF, FOR_STAFF, WANTED_BY_STAFF
from schemas.withheld import STATUS_WITHHELD, TIMERS_WITHHELD

_ISO = ", ".join(f"('{code}', {digits})" for code, digits in sorted(EXPONENTS.items()))

CORE = (
    View(
        "books",
        "The books, and how far each is.",
        "{schema}.books AS t",
        shown(
            {
                "book": BOOK,
                "name": "What the book is called.",
                "currency": "Its reporting currency, ISO 4217.",
                "time_zone": "tz database name; midnight there starts a business day.",
                "clock": "wall, or commanded for imports, simulation and tests.",
                "open_from": "Value dates before this day are closed.",
                "opened_at": "When the book was opened, book time.",
                "at": "Book time of the newest event shown.",
                "seq": "Number of the newest event shown: what reporting knows goes up to here.",
            }
        ),
    ),
    View(
        "accounts",
        "Every account as it is now.",
        "{schema}.accounts AS t",
        (
            *shown(
                {
                    "book": BOOK,
                    "account": ACCOUNT,
                    "kind": "customer, or the bank's own: income, expense, nostro, suspense, fx_position...",
                    "status": "open or closed.",
                    "currency": CURRENCY,
                    "party": PARTY,
                    "product": "Product code; may be empty.",
                    "branch": "Branch code; may be empty.",
                    "ledger": LEDGER,
                }
            ),
            amount("booked", "Sum of all postings."),
            amount("held", "Reserved and not yet booked."),
            amount("overdraft", "How far below zero the account may go."),
            amount("available", "booked - held + overdraft; null for the bank's own accounts."),
            *shown(
                {
                    "opened_at": "When the account was opened, book time.",
                    "closed_at": "When it was closed, book time; null while it is open.",
                    "seq": "Number of the newest event that changed the account.",
                }
            ),
            Column(
                "blocks",
                "(SELECT count(*) FROM jsonb_each(t.blocks) AS block "
                f"WHERE block.value ->> 'authority' = '{BY_HOLDER}')",
                "How many blocks of debits or credits stand on the account that its holder wished for.",
            ),
        ),
    ),
    View(
        "entries",
        "One row a posting: the account's journal. The postings of an event sum to zero per currency.",
        "{schema}.entries AS t",
        (
            *shown(
                {
                    "book": BOOK,
                    "seq": SEQ,
                    "leg": "Number of the posting within its event, from 1.",
                    "account": ACCOUNT,
                    "counter_account": "The other account, where there are exactly two.",
                    "currency": CURRENCY,
                }
            ),
            amount("amount", "What was posted."),
            amount("balance", "The account's booked balance after it."),
            *shown(
                {
                    "booking_date": "Business day on which it was booked.",
                    "value_date": "Day from which it counts for interest.",
                    "at": AT,
                    "type": "Type of the event: TransferPosted, EntriesPosted, TransferReversed...",
                    "reference": "What the sender wrote.",
                }
            ),
        ),
    ),
    View(
        "parties",
        "Every party as it is now. Names, numbers and dates of birth are masked.",
        "{schema}.parties AS t",
        (
            *shown(
                {
                    "book": BOOK,
                    "party": "The party's id, unique in its book.",
                    "kind": "person or business.",
                }
            ),
            Column(
                "status",
                f"CASE WHEN t.status IN ({one_of(STATUS_WITHHELD)}) THEN 'active' ELSE t.status END",
                "pending, active or closed. Whether the bank has blocked it, risk staff sees in standings.",
            ),
            Column("name", MASK.format("t.name"), "Masked; empty where none is known."),
            Column("number", MASK.format("t.number"), "Of an identity document or register. Masked."),
            Column(
                "born_on",
                "CASE WHEN t.born_on IS NULL THEN '' ELSE '***' END",
                "Date of birth or foundation. Masked.",
            ),
            *shown(
                {
                    "country": "ISO 3166-1 alpha-2; may be empty.",
                    "segment": "Segment code; may be empty.",
                    "branch": "Branch code; may be empty.",
                    "registered_at": "When the party was registered, book time.",
                    "seq": "Number of the newest event that changed the party.",
                }
            ),
        ),
    ),
    View(
        "trial_balance",
        "The chart of accounts with turnovers and balances. Balances sum to zero per book and currency.",
        "{schema}.trial_balance AS t JOIN {schema}.chart AS c USING (book, ledger)",
        (
            *shown({"book": BOOK, "ledger": LEDGER}),
            Column("name", "c.name", "What the line is called."),
            Column("kind", "c.kind", "The kind of account kept under it."),
            *shown({"currency": CURRENCY}),
            Column("debit_minor", "t.debit", "Sum of all debits so far. Minor units, never negative."),
            Column("credit_minor", "t.credit", "Sum of all credits so far. Minor units, never negative."),
            amount("balance", "credit - debit, which is the sum of the accounts kept under the line."),
        ),
    ),
    View(
        "business_days",
        "Which business day each book was on, and when.",
        "{schema}.business_days AS t",
        shown(
            {
                "book": BOOK,
                "business_date": "The day that bookings took.",
                "began_at": "Book time from which they did.",
                "ended_at": "Book time at which the next day began; null for the current day.",
                "first_seq": "Number of the day's first event.",
                "last_seq": "Number of its last event; null for the current day.",
            }
        ),
    ),
    View(
        "commands",
        "What came of every command: a row for each record that was answered, but not what only staff asks.",
        "{schema}.commands AS t WHERE NOT EXISTS (SELECT FROM {schema}.audit AS a WHERE a.book = t.book "
        f"AND a.at = t.at AND a.seq = t.seq AND a.type IN ({one_of(kind.__name__ for kind in BY_STAFF)})) "
        "AND (t.reason <> 'payment_state_conflict' "
        f"OR t.figures ->> 'wanted' NOT IN ({one_of(WANTED_BY_STAFF)}))",
        (
            *shown(
                {
                    "book": BOOK,
                    "actor": "Who sent it, proven; empty where nothing proves it.",
                    "command": "The sender's id for it; empty where the sender is not proven.",
                    "outcome": "accepted, waiting (for approval), rejected or repeated.",
                }
            ),
            Column("reason", TOLD_REASON, "Why it was rejected, from the catalogue; empty otherwise."),
            # What is wrong with bytes that are no command may quote them.
            Column(
                "figures",
                f"CASE WHEN t.reason <> 'undecodable' THEN {TOLD_FIGURES} END",
                "The values behind a rejection; amounts in minor units.",
            ),
            *shown(
                {
                    "seq": "Number of the first event that answers it.",
                    "last_seq": "Number of the last event that answers it.",
                    "first_outcome_seq": "Of a repeated command: where its first outcome began.",
                    "at": "Book time of the outcome.",
                    "issued_at": "When the sender says that it was made.",
                }
            ),
        ),
    ),
    View(
        "audit",
        "Events: who did what, when, to whom. What is in the event is not shown, nor what is for staff only.",
        f"{{schema}}.audit AS t WHERE t.type NOT IN ({one_of(kind.__name__ for kind in FOR_STAFF)})",
        (
            *shown(
                {
                    "book": BOOK,
                    "seq": SEQ,
                    "at": AT,
                    "type": "Type of the event.",
                    "actor": "User or system whose command it answers; empty for timers and the engine.",
                    "command": "That command's id.",
                }
            ),
            Column(
                "timer",
                "CASE WHEN split_part(t.timer, chr(10), 1) "
                f"NOT IN ({one_of(TIMERS_WITHHELD)}) THEN t.timer ELSE '' END",
                "Id of the timer that fired, where no command did.",
            ),
            *shown({"entities": "What it concerned, other than by postings: accounts, parties, users..."}),
        ),
    ),
    View(
        "actors",
        "Users and systems as they are now.",
        "{schema}.actors AS t",
        shown(
            {
                "book": BOOK,
                "actor": "Id of the user or system.",
                "kind": "user or system.",
                "person": "Id of the person behind a user; empty for systems.",
                "party": "On whose behalf a user acts; empty for staff.",
                "suspended": "Whether it may do nothing at the moment.",
            }
        ),
    ),
    View(
        "grants",
        "Which user or system has which role now.",
        "{schema}.grants AS t",
        shown(
            {
                "book": BOOK,
                "actor": "Id of the user or system.",
                "role": "Id of the role.",
                "granted_by": "Who granted it; empty for a new book's first administrators.",
                "seq": "Number of the event that granted it.",
            }
        ),
    ),
    View(
        "currencies",
        "Decimal places of currencies and assets: amount = minor units / 10 ^ scale.",
        f"(SELECT NULL::text AS book, * FROM (VALUES {_ISO}) AS iso (currency, scale) "
        "UNION ALL SELECT book, asset, scale FROM {schema}.assets) AS t",
        shown(
            {
                "book": "The book that registered an asset; null for ISO 4217, which all books have.",
                "currency": "ISO 4217 code, or code of the asset.",
                "scale": "Decimal places.",
            }
        ),
    ),
)

VIEWS = (
    *CORE,
    *LIMITS,
    *FEES,
    *approvals_views.VIEWS,
    *documents.VIEWS,
    *cross_book.VIEWS,
    *ledger_views.VIEWS,
    *holds.VIEWS,
    *payment_views.VIEWS,
    *risk_views.VIEWS,
    *exchange.VIEWS,
    *positions.VIEWS,
    *value_dates.VIEWS,
    *bulks.VIEWS,
    *orders.VIEWS,
    *payments_in.VIEWS,
    *case_views.VIEWS,
)
"""Every view. A read model with views of its own adds them here."""
