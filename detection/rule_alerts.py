"""Alerts of what rules in the ordered path found: a movement that was made to wait, reviewed or declined.

One alert for a movement and document of rules; its kind is the rule that weighed most. A declined payment
leaves its id free: asked for again it is another movement, so what tells them apart is the seq of the event
and never the payment's id.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from detection.refusals import RefusedFace
from schemas.alerts import Alert, alert_id, figures_held, held
from schemas.flags import Seen
from schemas.risk import Assessment, Declined, RiskAssessed, Verdict

WORDS: Final = {
    "review": "Rules want a person to look at a movement.",
    "decline": "Rules declined a movement.",
}
CONFIDENCE: Final[dict[Verdict, int]] = {"review": 500, "decline": 800}
"""Per mille, for triage to rank by, until a bank has measured how often its rules are right."""
SURE: Final = 1_000
_decode_declined = msgspec.json.Decoder(Declined).decode


def of_assessed(event: RiskAssessed, day: int) -> Iterator[Alert]:
    """Of a movement that was let through or waits. day: the ordinal of its business day."""
    seqs = (event.of, event.seq) if event.of else (event.seq,)
    yield from _of(event, event, seqs, day)


def of_refused(fact: RefusedFace, day: int) -> Iterator[Alert]:
    """Of a movement that was declined, where the refusal is that: by itself, in a bulk, of a standing order,
    after an approval.
    """
    if (fact.reason != "declined" and fact.figures.refused != "declined") or not fact.restricted:
        return
    try:
        declined = _decode_declined(fact.restricted)
    except msgspec.MsgspecError:
        return  # a person may decline too, and says why in words
    yield from _of(fact, declined, (fact.seq,), day)


def _of(
    fact: RiskAssessed | RefusedFace,
    about: RiskAssessed | Declined,
    seqs: Sequence[int],
    day: int,
) -> Iterator[Alert]:
    evidence = tuple([Seen(book=fact.book, seq=seq) for seq in seqs])
    for one in about.assessments:
        words = WORDS.get(one.verdict)
        if words is None:
            continue
        yield Alert(
            id=alert_id(fact.book, f"rules/{one.rules}", about.account, seqs[0]),
            source="rule",
            kind=_weightiest(one),
            version=one.version,
            book=fact.book,
            at=fact.at,
            first_at=fact.at,
            day=datetime.date.fromordinal(day).isoformat(),
            party=about.party,
            account=about.account,
            movement=about.movement,
            currency=about.currency,
            amount=held(about.amount),
            confidence=SURE if any(hit.stop and hit.counted for hit in one.hits) else CONFIDENCE[one.verdict],
            figures=figures_held(
                {
                    "score": one.score,
                    "verdict": one.verdict,
                    **{hit.rule[:64]: "stop" if hit.stop else hit.points for hit in one.hits[:30]},
                }
            ),
            words=words,
            evidence=evidence,
            shadow=one.stage == "shadow",
        )


def _weightiest(one: Assessment) -> str:
    """The rule that stops, else the one with the most points; the first of several."""
    counted = [hit for hit in one.hits if hit.counted] or list(one.hits)
    if not counted:
        return one.rules
    return max(counted, key=lambda hit: (hit.stop, hit.points)).rule[:64]
