"""The views of payments, of their repair, of stop switches and of what is expected at nostro accounts."""

from __future__ import annotations

from projections.view import ACCOUNT, BOOK, CURRENCY, MASK, Column, View, amount, one_of, shown
from schemas.withheld import PROCESSING, WAITS_WITHHELD

_PAYMENT = "The payment's id, unique in its book."
_STATUS = (
    "waiting, cancelled, declined, dispatched, accepted, settled, failed, returned, recalled or disputed."
)
_WITHHELD = f"t.waits_for IN ({one_of(WAITS_WITHHELD)})"

VIEWS = (
    View(
        "payments",
        "Payments out of the bank as they are now. Who is paid is masked.",
        "{schema}.payments AS t",
        (
            *shown({"book": BOOK, "payment": _PAYMENT, "account": ACCOUNT, "rail": "The rail it goes by."}),
            *shown(
                {
                    "status": _STATUS,
                    "due_at": "When it is looked at again, or when silence sends it to repair; may be null.",
                }
            ),
            Column(
                "waits_for",
                f"CASE WHEN {_WITHHELD} THEN '{PROCESSING}' ELSE t.waits_for END",
                "Why it is not sent yet: execution_date, stopped, rail_unavailable, cut_off, processing.",
            ),
            Column(
                "waits_by",
                f"CASE WHEN {_WITHHELD} THEN '' ELSE t.waits_by END",
                "What stands in its way, such as the stop; may be empty.",
            ),
            amount("amount", "What is paid, without fees."),
            amount("fees", "What it cost when it was submitted."),
            amount("returned", "What came back."),
            *shown({"currency": CURRENCY}),
            Column("payee_name", MASK.format("t.payee_name"), "Masked."),
            Column("payee_account", MASK.format("t.payee_account"), "Masked."),
            *shown(
                {
                    "payee_agent": "BIC of the payee's bank; may be empty.",
                    "payee_country": "ISO 3166-1 alpha-2; may be empty.",
                    "purpose": "ISO 20022 code; may be empty.",
                    "end_to_end": "The payer's own id for it.",
                    "channel": "How it was asked for; may be empty.",
                    "execution_date": "The first day on which it may be sent.",
                    "recall": "requested, accepted or refused; empty where none was asked for.",
                    "rail_reference": "The rail's own id; empty where it gave none.",
                    "attempt": "How often it was sent.",
                    "submitted_at": "When it was submitted, book time.",
                    "dispatched_at": "When it was sent, book time; null before.",
                    "ended_at": "When its outcome was first known, book time; null before.",
                    "seq": "Number of the newest event that changed it.",
                }
            ),
        ),
    ),
    View(
        "repairs",
        "The repair queue: payments whose outcome is unknown or contradicts itself.",
        "(SELECT p.*, b.at - p.repair_since AS age FROM {schema}.payments AS p "
        "JOIN {schema}.books AS b USING (book) WHERE p.repair <> '') AS t",
        (
            *shown({"book": BOOK, "payment": _PAYMENT, "rail": "The rail it goes by.", "status": _STATUS}),
            amount("amount", "What is paid, without fees."),
            *shown(
                {
                    "currency": CURRENCY,
                    "repair": "Why: no_answer, outcome_unknown, amount_mismatch, settled_after_failed...",
                    "repair_detail": "What was said.",
                    "repair_since": "Since when, book time.",
                    "age": "How long that is, by the book's time.",
                    "asked": "How often the rail was asked.",
                    "attempt": "How often it was sent.",
                    "proposal": "What the first of two persons wants done; empty where nothing is proposed.",
                    "proposed_by": "Who that was.",
                }
            ),
        ),
    ),
    View(
        "stops",
        "Stop switches: payments that fall under one are not sent while it is on.",
        "{schema}.stops AS t",
        shown(
            {
                "book": BOOK,
                "stop": "The stop's id.",
                "scope": "book, rail, product or segment.",
                "value": "Which rail, product or segment; empty for the book.",
                "reason": "Why.",
                "author": "Who did it.",
                "since": "Since when, book time.",
                "lifted_at": "When it was lifted, book time; null while it is on.",
                "lifted_by": "Who lifted it; null while it is on.",
                "seq": "Number of the event.",
            }
        ),
    ),
    View(
        "expected_entries",
        "What should be found on statements of nostro accounts.",
        "{schema}.expected_entries AS t",
        (
            *shown({"book": BOOK, "entry": "The entry's id, unique in its book.", "account": ACCOUNT}),
            amount("amount", "As it is posted there."),
            *shown(
                {
                    "currency": CURRENCY,
                    "value_date": "The day for which it is expected, or was booked.",
                    "reference": "What the statement should say.",
                    "state": "expected; booked by us too; withdrawn, so that none will come.",
                    "seq": "Number of the newest event that says so.",
                }
            ),
        ),
    ),
)
