"""Flags: raised by whoever noticed something, moved when raised again, gone when their time is over."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import pytest

from book.flag import Flag, Flags
from book.flags import flags_of
from commands import flags as deciding
from commands.flags import MOST_OF_A_SUBJECT
from projections.database import connect
from projections.flags_queries import flags as rows_of
from projections.projector import Projector
from schemas.access import Scope
from schemas.catalogue import encode
from schemas.flags import ClearFlag, FlagCleared, FlagExpired, FlagRaised, RaiseFlag, Seen
from schemas.outcomes import encode_outcome, outcome_of
from schemas.payees import payee_key
from schemas.rejections import CommandRejected, Reason
from schemas.risk import ModelScore
from tests.projecting import utc
from tests.risk_words import model
from tests.story import (
    BEGAN_MS,
    DAY_MS,
    Said,
    Word,
    account,
    given,
    happened,
    later,
    party,
    rejected,
    role,
    say,
    story,
    system,
    then,
    transfer,
    user,
    when,
)

MONTH_MS = BEGAN_MS + 30 * DAY_MS
PAULA = payee_key("DE02 1203 0000 0000 2020 51")


def flagged(of: str, flag: str = "mule", subject: str = "party", until: int = MONTH_MS, **more: Any) -> Said:
    return say(RaiseFlag, subject=subject, of=of, flag=flag, expires_at_ms=until, **more)


def cleared(of: str, flag: str = "mule", subject: str = "party") -> Said:
    return say(ClearFlag, subject=subject, of=of, flag=flag, reason="asked the customer")


def standing(of: str, subject: str = "party", at_ms: int = 0) -> tuple[Flag, ...]:
    return flags_of(story().book, subject, of, at_ms)


def names(of: str, subject: str = "party") -> list[str]:
    return [one.flag for one in standing(of, subject)]


def test_a_flag_stands_until_its_time_is_over() -> None:
    given(party("ann"))
    when(flagged("ann", evidence=(Seen(book="side", seq=7),), reason="paid from ten books"))
    then(happened(FlagRaised, subject="party", of="ann", flag="mule", score=1_000, again=False))
    (flag,) = standing("ann")
    assert (flag.flag, flag.score, flag.expires_at_ms) == ("mule", 1_000, MONTH_MS)
    assert flag.since_ms == story().book.at
    assert standing("ann", at_ms=MONTH_MS) == ()
    assert standing("ann", at_ms=MONTH_MS - 1) == (flag,)
    assert standing("bob") == standing("ann", "account") == ()
    when(later(days=31), party("bob"))
    (expired,) = (event for event in story().events() if isinstance(event, FlagExpired))
    assert (expired.subject, expired.of, expired.flag, expired.at) == ("party", "ann", "mule", MONTH_MS)
    assert standing("ann") == ()
    assert (story().book.flags.standing, story().book.flags.of) == (0, {})


@pytest.mark.parametrize(
    ("subject", "of"), [("party", "p-ann"), ("account", "ann"), ("payee", PAULA), ("device", "a phone\nof\n")]
)
def test_whatever_is_flagged_it_is_found_and_it_ends(subject: str, of: str) -> None:
    given(account("ann"), flagged(of, "seen", subject), flagged(of, "mule", subject))
    assert names(of, subject) == ["seen", "mule"]
    when(cleared(of, "seen", subject))
    then(happened(FlagCleared, subject=subject, of=of, flag="seen"))
    assert names(of, subject) == ["mule"]
    when(later(days=31), party("bob"))
    assert (names(of, subject), story().book.flags.of) == ([], {})
    assert not [timer for timer in story().book.timers.due if timer.startswith("flag")]


def test_raising_what_stands_moves_its_expiry_and_score_and_nothing_else() -> None:
    given(party("ann"), flagged("ann"), flagged("ann", "other"))
    since = standing("ann")[0].since_ms
    when(flagged("ann"))
    then(rejected("nothing_to_change"))
    when(flagged("ann", until=MONTH_MS + 1, score=700))
    then(happened(FlagRaised, again=True, expires_at_ms=MONTH_MS + 1, score=700))
    assert standing("ann")[0] == Flag("mule", 700, since, MONTH_MS + 1, story().now)
    assert names("ann") == ["mule", "other"]
    assert story().book.flags.standing == 2


def test_what_arrives_late_shortens_nothing() -> None:
    given(party("ann"), flagged("ann", until=MONTH_MS))
    when(flagged("ann", until=MONTH_MS - DAY_MS))
    then(rejected("nothing_to_change"))
    when(flagged("ann", until=MONTH_MS - DAY_MS, score=900))
    then(happened(FlagRaised, expires_at_ms=MONTH_MS, score=900))


def test_what_a_person_cleared_is_brought_back_only_by_what_was_said_after_it() -> None:
    given(party("ann"))
    said = flagged("ann").issued_at(story().now)
    when(said, cleared("ann"))
    at = story().book.at
    assert [one.cleared_ms for one in story().book.flags.cleared.values()] == [at]
    when(later(days=9), party("bob"), said)
    then(rejected("nothing_to_change"))
    when(flagged("ann", until=MONTH_MS + DAY_MS, score=5).issued_at(at))
    then(rejected("nothing_to_change"))
    kept = msgspec.json.decode(msgspec.json.encode(story().book.flags), type=Flags)
    assert kept == story().book.flags
    when(flagged("ann", score=600))
    then(happened(FlagRaised, again=False, score=600))
    when(said)
    then(rejected("nothing_to_change"))
    when(later(days=31), party("carl"), flagged("carl", until=MONTH_MS + 60 * DAY_MS), cleared("carl"))
    assert len(story().book.flags.cleared) == 1, "what would be over is forgotten"


def test_what_is_remembered_of_cleared_flags_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("book.flags.MOST_CLEARED", 2)
    given(party("ann"))
    for flag in ("one", "two", "three"):
        when(flagged("ann", flag), cleared("ann", flag))
    assert [one.split("\n")[2] for one in story().book.flags.cleared] == ["two", "three"]


def test_the_score_that_was_said_last_stands() -> None:
    given(party("ann"))
    early = story().now
    when(flagged("ann", score=700))
    when(flagged("ann", score=100).issued_at(early))
    then(rejected("nothing_to_change"))
    when(flagged("ann", score=100, until=MONTH_MS + 1).issued_at(early))
    then(happened(FlagRaised, score=700, expires_at_ms=MONTH_MS + 1))


def test_a_flag_that_was_moved_ends_only_at_its_new_time_and_can_be_raised_anew() -> None:
    given(party("ann"), flagged("ann"), flagged("ann", until=MONTH_MS + 5 * DAY_MS))
    when(later(days=31), party("bob"))
    assert names("ann") == ["mule"]
    when(later(days=5), party("carl"))
    assert names("ann") == []
    when(flagged("ann", until=MONTH_MS + 60 * DAY_MS))
    then(happened(FlagRaised, again=False))


def test_flags_of_a_subject_and_of_a_book_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    given(party("ann"), party("bob"), [flagged("ann", f"f{n}") for n in range(MOST_OF_A_SUBJECT)])
    when(flagged("ann", "one-more"))
    then(rejected("at_capacity", most=MOST_OF_A_SUBJECT))
    when(flagged("ann", "f0", until=MONTH_MS + 1))
    then(happened(FlagRaised, again=True))
    with monkeypatch.context() as patched:
        patched.setattr(deciding, "MOST_OF_A_BOOK", MOST_OF_A_SUBJECT)
        when(flagged("bob"))
        then(rejected("at_capacity", most=MOST_OF_A_SUBJECT))
        when(cleared("ann", "f0"), flagged("bob"))
        then(happened(FlagRaised))
        when(cleared("bob"))
    when(flagged("bob", "back"))
    then(happened(FlagRaised))


def test_a_model_in_force_is_named_with_its_score() -> None:
    given(party("ann"), model("fraudnet", version=3))
    when(flagged("ann", model=ModelScore(model="fraudnet", version=2, score=700)))
    then(rejected("document_not_in_force"))
    when(flagged("ann", score=700, model=ModelScore(model="fraudnet", version=3, score=700)))
    then(happened(FlagRaised, model=ModelScore(model="fraudnet", version=3, score=700)))


def test_a_system_raises_flags_and_only_people_clear_them() -> None:
    given(party("ann"), role("noticing", RaiseFlag), system("stream", roles=["noticing"]))
    when(flagged("ann").by("stream"))
    then(happened(FlagRaised, actor="stream"))
    when(cleared("ann").by("stream"))
    then(rejected("not_permitted"))


def test_scopes_reach_the_party_or_account_that_is_flagged_and_no_payee() -> None:
    scope = Scope(branches=("north",))
    given(
        party("ann", branch="north"),
        account("ann-1", party_id="ann", branch="north"),
        account("bob"),
        role("north", RaiseFlag, scope=scope),
        user("carl", roles=["north"]),
    )
    for said, refused in (
        (flagged("ann"), False),
        (flagged("ann-1", subject="account"), False),
        (flagged("p-bob"), True),
        (flagged("bob", subject="account"), True),
        (flagged(PAULA, subject="payee"), True),
    ):
        ((event,),) = when(said.by("carl"))
        assert (isinstance(event, CommandRejected) and event.reason == "not_permitted") == refused, said


def test_neither_outcome_nor_refusal_says_that_anybody_is_looked_at() -> None:
    given(account("ann"), flagged("p-ann"))
    for said in (
        flagged("p-ann", until=MONTH_MS + 1, reason="suspected mule"),
        flagged("p-ann", until=MONTH_MS + 1),
        flagged("p-ann", "other", model=ModelScore(model="nobody", version=1, score=9)),
        cleared("p-ann"),
        cleared("p-ann"),
    ):
        (events,) = when(said)
        public = encode_outcome(outcome_of([encode(event) for event in events])).decode().lower()
        for word in ("flag", "mule", "p-ann", "suspect", "model", "nobody"):
            assert word not in public, public


GIVEN: list[Word] = [
    account("full"),
    flagged("p-full", "stands", until=MONTH_MS),
    [flagged("p-full", f"f{n}") for n in range(MOST_OF_A_SUBJECT - 1)],
]
NO_MODEL = ModelScore(model="nobody", version=1, score=5)
WRONG: dict[str, Any] = {"until": 5, "model": NO_MODEL}
REJECTIONS: list[tuple[Reason, Said]] = [
    ("party_not_found", flagged("nobody", **WRONG)),
    ("account_not_found", flagged("nobody", subject="account", **WRONG)),
    ("key_malformed", flagged("DE02120300000000202051", subject="payee", **WRONG)),
    ("key_malformed", flagged(PAULA.upper(), subject="payee", **WRONG)),
    ("expiry_in_past", flagged("p-full", "stands", **WRONG)),
    ("document_not_in_force", flagged("p-full", "stands", model=NO_MODEL)),
    ("nothing_to_change", flagged("p-full", "stands")),
    ("at_capacity", flagged("p-full", "one-more")),
    ("nothing_to_change", cleared("p-full", "one-more")),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(*GIVEN)
    before = dict(story().book.flags.of)
    when(said)
    then(rejected(reason))
    assert story().book.flags.of == before


@pytest.mark.parametrize("limit", [1, 3, 10_000])
def test_every_row_is_what_the_fold_says(postgres_dsn: str, limit: int) -> None:
    given(account("ann", balance=5), account("bob"))
    when(
        flagged("p-ann", evidence=(Seen(book="main", seq=7), Seen(book="side", seq=9)), reason="why"),
        flagged("p-ann", "many-books", score=400),
        flagged("p-ann", until=MONTH_MS + 1, score=800),
        cleared("p-ann", "many-books"),
        flagged("p-ann", "many-books", until=MONTH_MS + 3, score=10),
        flagged("bob", subject="account", until=BEGAN_MS + DAY_MS),
        flagged(PAULA, subject="payee"),
        cleared(PAULA, subject="payee"),
        later(days=2),
        transfer("ann", "bob", 1),
    )
    with contextlib.closing(Projector(postgres_dsn, story().log.reader())) as projector:
        projector.catch_up(limit)
    with contextlib.closing(connect(postgres_dsn)) as session:
        rows = rows_of(session, "main")
        everything = rows_of(session, "main", over=True)
        assert rows_of(session, "main", "p-ann") == [one for one in rows if one.subject_id == "p-ann"]
    found = {(one.subject, one.subject_id, one.flag): one for one in rows}
    stands = {}
    for name, of in story().book.flags.of.items():
        subject, _, subject_id = name.partition("\n")
        stands.update({(subject, subject_id, one.flag): one for one in of})
    assert found.keys() == stands.keys()
    for key, one in stands.items():
        row = found[key]
        assert (row.score, row.raised_at, row.expires_at) == (
            one.score, utc(one.since_ms), utc(one.expires_at_ms),
        )  # fmt: skip
    assert found["party", "p-ann", "mule"].evidence == []
    status = {(one.subject, one.flag): (one.status, one.ended_by, one.ended_reason) for one in everything}
    assert status["account", "mule"] == ("expired", "", "")
    assert status["payee", "mule"] == ("cleared", "root", "asked the customer")
    assert status["party", "many-books"] == ("standing", "", "")
