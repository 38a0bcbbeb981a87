"""What `reporting` shows of cases: how they are worked and what was found, and never what people wrote.

Of a case that is kept to some people it shows neither whom it is about nor what its alerts are about: what it
counts for stays, so that the figures add up.
"""

from __future__ import annotations

from projections.case_parts import BAD, GOOD
from projections.view import AT, BOOK, CURRENCY, SEQ, Column, View, shown

CASE = "The case's id."
_KEPT = "Of a case that is kept to some people it is empty."
_OPEN = "cardinality({0}.people) = 0"


def _open_only(name: str, comment: str, case: str = "t") -> Column:
    return Column(name, f"CASE WHEN {_OPEN.format(case)} THEN t.{name} ELSE '' END", f"{comment} {_KEPT}")


_COUNTED = f"""(
  SELECT book, source, kind, version, count(*) AS hits,
    count(DISTINCT nullif(party, '')) AS parties,
    count(*) FILTER (WHERE label IN {BAD}) AS bad, count(*) FILTER (WHERE label IN {GOOD}) AS good,
    round(count(*) FILTER (WHERE label IN {BAD}) * 1000.0
      / nullif(count(*) FILTER (WHERE label IN {BAD}) + count(*) FILTER (WHERE label IN {GOOD}), 0))::bigint
      AS precision_per_mille
  FROM {{schema}}.case_alerts GROUP BY book, source, kind, version) AS t"""

VIEWS = (
    View(
        "cases",
        "What people look into, as it is now. Titles and notes are not shown.",
        "{schema}.cases AS t",
        (
            *shown(
                {
                    "book": BOOK,
                    "case_id": CASE,
                    "kind": "fraud, aml, payment_review, dispute or other.",
                    "status": "open or reopened (in the queue), in_progress, waiting (for something from "
                    "outside), awaiting_second_person, closed.",
                }
            ),
            _open_only("subject", "Whom it is about: a party, or such as `device=d1`."),
            *shown(
                {
                    "priority": "Expected loss times confidence; the higher the sooner.",
                    "skill": "What whoever works it must know; may be empty.",
                    "assignee": "User who has it; empty where nobody does.",
                    "team": "Team that has to take it since it was late; else empty.",
                }
            ),
            Column("is_kept", f"NOT ({_OPEN.format('t')})", "Whether only some people may know of it."),
            *shown(
                {
                    "amounts": "At stake by currency, over all its alerts; minor units.",
                    "alerts": "How many alerts it has.",
                    "opened_at": "When it was opened, book time.",
                    "started_at": "When it was opened, or reopened last.",
                    "touch_by": "Until when whoever has it has to do something; null where no clock runs.",
                    "close_by": "Until when it is to be closed; null where no clock runs.",
                    "touch_late": "Whether it was left alone for too long.",
                    "close_late": "Whether it was not closed in time.",
                    "proposed": "What is proposed and waits for a second person; else empty.",
                    "label": "What was found when it was closed last; empty before.",
                    "closed_at": "When it was closed; null while it is not.",
                    "closing": "How often it was closed.",
                    "reopened": "How often it was reopened.",
                    "sampled": "Whether it is drawn for a second look at its quality.",
                    "merged_into": "The case that it went into, being the same; else empty.",
                    "seq": "Number of the newest event about it.",
                }
            ),
        ),
        for_staff=True,
    ),
    View(
        "case_alerts",
        "The alerts of cases, and what was found of them.",
        "{schema}.case_alerts AS t JOIN {schema}.cases AS c USING (book, case_id)",
        (
            *shown(
                {
                    "book": BOOK,
                    "alert": "The alert's id, the same wherever it stands.",
                    "case_id": CASE,
                    "source": "rule, typology or stream.",
                    "kind": "Which rule, document/rule, or typology.",
                    "version": "Of the document that its parameters stand in.",
                }
            ),
            *(
                _open_only(name, comment, "c")
                for name, comment in (
                    ("party", "The party; empty where it is about none of the book."),
                    ("account", "The account; may be empty."),
                    ("payee", "Key of the payee; may be empty."),
                    ("device", "Key of the device; may be empty."),
                    ("movement", "The payment, where it is about one."),
                )
            ),
            *shown({"currency": CURRENCY}),
            Column("amount_minor", "t.amount", "What is at stake. Minor units of the currency."),
            *shown(
                {
                    "confidence": "Per mille.",
                    "at": "Book time of the event that completed it.",
                    "joined_at": "When it became part of a case, book time.",
                    "label": "What was found, while its case is closed; else empty.",
                    "labelled_at": "When that was said; null before.",
                }
            ),
        ),
        for_staff=True,
    ),
    View(
        "case_history",
        "What happened to cases, and who did it. What was said is not shown.",
        "{schema}.case_history AS t",
        shown(
            {
                "book": BOOK,
                "case_id": CASE,
                "seq": SEQ,
                "at": AT,
                "actor": "User or system; empty where a timer did it.",
                "type": "Type of the event.",
            }
        ),
        for_staff=True,
    ),
    View(
        "case_reports",
        "Reports to the authority: what is due, and what was filed.",
        "{schema}.case_reports AS t",
        shown(
            {
                "book": BOOK,
                "case_id": CASE,
                "began": "Seq of the event that it began with.",
                "status": "required, drafted, approved or filed.",
                "file_by": "Until when it is to be filed.",
                "late": "Whether it was not filed by then.",
                "filed_at": "When it was filed, book time; null before.",
                "evidence": "Digest of the evidence pack that went with it; empty before.",
                "seq": "Number of the newest event about it.",
            }
        ),
        for_staff=True,
    ),
    View(
        "case_reviews",
        "What second looks at closed cases have found. What was written is not shown.",
        "{schema}.case_reviews AS t",
        shown(
            {
                "book": BOOK,
                "case_id": CASE,
                "closing": "Which closing of the case it was about.",
                "label": "What that had found.",
                "found": "upheld, remarks (right, and could have been done better) or overturned.",
                "reviewed_by": "User who looked.",
                "at": AT,
                "seq": SEQ,
            }
        ),
        for_staff=True,
    ),
    View(
        "detection_outcomes",
        "How often each rule and typology was right, by version and by what cases have found.",
        _COUNTED,
        shown(
            {
                "book": BOOK,
                "source": "rule, typology or stream.",
                "kind": "Which rule, document/rule, or typology.",
                "version": "Of the document that its parameters stand in.",
                "hits": "Its alerts that came to cases.",
                "parties": "Distinct parties of those.",
                "bad": "Of hits, those in cases closed as confirmed_fraud or suspicious.",
                "good": "Of hits, those in cases closed as false_positive or legitimate.",
                "precision_per_mille": "bad of bad and good; null while there is neither.",
            }
        ),
        for_staff=True,
    ),
)
