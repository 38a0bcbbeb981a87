"""What only risk staff may read in `reporting`: who is looked at, by what, and what came of it."""

from __future__ import annotations

from projections.view import ACCOUNT, BOOK, CURRENCY, View, amount, shown

VIEWS = (
    View(
        "reviews",
        "Payments that wait, or waited, until somebody has looked at them.",
        "{schema}.reviews AS t",
        (
            *shown(
                {
                    "book": BOOK,
                    "payment": "The payment's id, unique in its book.",
                    "status": "open, released, declined or cancelled.",
                    "account": ACCOUNT,
                    "party": "The party that pays; empty for the bank's own accounts.",
                }
            ),
            amount("amount", "What is paid, without fees."),
            *shown(
                {
                    "currency": CURRENCY,
                    "maker": "User or system that asked for the payment.",
                    "level": "How often it was left to others.",
                    "on_timeout": "escalate or decline: what comes of it at answer_by.",
                    "began_at": "When it began to wait, book time.",
                    "answer_by": "When it goes on by itself; null for never.",
                    "ended_at": "When it ended, book time; null while it is open.",
                    "decided_by": "Id of the person; empty where its time was over, or it was cancelled.",
                    "label": "What was found; may be empty.",
                    "reason": "What was said last.",
                    "seq": "Number of the newest event that changed it.",
                }
            ),
        ),
        for_staff=True,
    ),
    View(
        "flags",
        "What somebody has noticed about parties, accounts, payees and devices, and until when.",
        "{schema}.flags AS t",
        shown(
            {
                "book": BOOK,
                "subject": "party, account, payee or device.",
                "subject_id": "Its id; of a payee its key.",
                "flag": "Which flag.",
                "status": "standing, cleared or expired.",
                "score": "How sure, per mille.",
                "model": "Whose score it is, name@version; empty where it is no model's.",
                "reason": "Why.",
                "evidence": "The events behind it, by book and seq.",
                "raised_by": "User or system.",
                "raised_at": "When it was first raised, book time.",
                "expires_at": "When it ends by itself, book time.",
                "ended_at": "When it ended, book time; null while it stands.",
                "ended_by": "User that cleared it; else empty.",
                "ended_reason": "Why it was cleared; else empty.",
                "seq": "Number of the newest event that changed it.",
            }
        ),
        for_staff=True,
    ),
    View(
        "standings",
        "How the bank stands to its parties: their risk, and the blocks on their accounts.",
        "(SELECT p.*, (SELECT coalesce(sum((SELECT count(*) FROM jsonb_object_keys(a.blocks))), 0) "
        "FROM {schema}.accounts AS a WHERE a.book = p.book AND a.party = p.party) AS blocks "
        "FROM {schema}.parties AS p) AS t",
        shown(
            {
                "book": BOOK,
                "party": "The party's id.",
                "status": "pending, active, blocked or closed.",
                "risk": "How much risk the bank sees in it: unrated, low, medium or high.",
                "blocks": "How many blocks stand on its accounts, whoever ordered them.",
            }
        ),
        for_staff=True,
    ),
)
