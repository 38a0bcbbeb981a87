"""Accounts: opened for parties or for the bank itself, blocked one block at a time, closed at zero."""

from __future__ import annotations

from typing import Any

import pytest

from commands.accounts import close_account, is_blocked
from commands.transfers import transfer as decide_transfer
from schemas.accounts import (
    AccountBlocked,
    AccountClosed,
    AccountOpened,
    BlockLifted,
    CloseAccount,
    LiftBlock,
    OpenAccount,
    OverdraftSet,
    SetOverdraft,
)
from schemas.books import RegisterAsset
from schemas.fields import AccountKind, Direction
from schemas.rejections import Reason, Rejection
from schemas.transfers import Transfer, TransferPosted
from tests.payment_words import hold
from tests.story import (
    BEGAN_MS,
    DAY_MS,
    Said,
    Word,
    account,
    advance,
    balance,
    block,
    closed,
    given,
    happened,
    internal,
    later,
    party,
    rejected,
    say,
    story,
    the_account,
    then,
    transfer,
    when,
)
from tests.terms_words import product

OWN_KINDS: tuple[AccountKind, ...] = (
    "income", "expense", "nostro", "suspense", "fx_position", "inter_book",
)  # fmt: skip


def lifted(account_id: str, block_id: str) -> Said:
    return say(LiftBlock, account=account_id, block=block_id, reason="order lifted")


def overdraft(account_id: str, overdraft_minor: int) -> Said:
    return say(SetOverdraft, account=account_id, overdraft=overdraft_minor)


# --- opening ----------------------------------------------------------------------------------------------


def test_an_account_is_opened_for_a_party_at_zero() -> None:
    given(party("alice"))
    when(
        say(
            OpenAccount,
            account="a-1",
            currency="CHF",
            party="alice",
            product="giro",
            branch="north",
            overdraft=500,
        )
    )
    then(
        happened(
            AccountOpened,
            account="a-1",
            currency="CHF",
            party="alice",
            kind="customer",
            product="giro",
            branch="north",
            ledger="2000",
            overdraft=500,
        )
    )
    one = the_account("a-1")
    assert (one.booked, one.held, one.overdraft, one.is_open, one.currency) == (0, 0, 500, True, "CHF")
    assert (one.product, one.branch, one.ledger, one.party, one.blocks) == (
        "giro",
        "north",
        "2000",
        "alice",
        None,
    )
    assert story().book.parties["alice"].open_accounts == 1


@pytest.mark.parametrize("kind", OWN_KINDS)
def test_an_account_of_the_banks_own_is_kept_under_its_kinds_first_line(kind: AccountKind) -> None:
    given()
    when(internal("own", kind))
    (opened,) = then(happened(AccountOpened, kind=kind, party="", overdraft=0))
    assert story().book.chart[opened.ledger].kind == kind  # type: ignore[attr-defined]


def test_an_account_can_be_kept_under_a_line_of_its_kind() -> None:
    given()
    when(internal("fees", "income", ledger="4000"))
    then(happened(AccountOpened, ledger="4000"))
    when(internal("costs", "income", ledger="5000"))
    then(rejected("ledger_not_found", ledger="5000", kind="income"))


def test_an_account_can_be_kept_in_a_registered_asset() -> None:
    given()
    when(internal("gold", currency="GOLD"))
    then(rejected("unknown_currency", currency="GOLD"))
    when(
        say(RegisterAsset, asset="GOLD", scale=3, name="Fine gold, grams"), internal("gold", currency="GOLD")
    )
    then(happened(AccountOpened, currency="GOLD"))


def test_a_party_may_not_have_an_account_of_the_banks_own_nor_the_bank_a_customers() -> None:
    given(party("alice"))
    when(internal("own", "income", party="alice"))
    then(rejected("account_kind_mismatch", detail="An account of kind income belongs to no party."))
    when(internal("own", "customer"))
    then(rejected("account_kind_mismatch", detail="A customer account belongs to a party."))


# --- overdrafts -------------------------------------------------------------------------------------------


def test_an_overdraft_is_raised_and_lowered_but_not_below_what_is_used() -> None:
    given(account("alice", balance=10), account("bob"))
    when(overdraft("alice", 50))
    then(happened(OverdraftSet, account="alice", before=0, overdraft=50))
    when(transfer("alice", "bob", 40), overdraft("alice", 29))
    then(rejected("overdraft_in_use", used=30))
    when(overdraft("alice", 30))
    then(happened(OverdraftSet, before=50, overdraft=30))
    assert the_account("alice").overdraft == 30


def test_what_is_held_uses_the_overdraft() -> None:
    given(account("alice", balance=10, overdraft=50), hold("alice", 20))
    when(overdraft("alice", 9))
    then(rejected("overdraft_in_use", used=10))
    when(overdraft("alice", 10))
    then(happened(OverdraftSet, overdraft=10))


# --- blocks -----------------------------------------------------------------------------------------------


def test_a_block_is_a_record_of_its_own_and_is_lifted_by_itself() -> None:
    given(account("alice", balance=10))
    when(block("alice", "court-1", "debits"), block("alice", "tax-2", "both"))
    then(
        happened(
            AccountBlocked,
            account="alice",
            block="tax-2",
            direction="both",
            authority="court",
            reason="order 7",
            expires_at_ms=None,
        )
    )
    blocks = the_account("alice").blocks
    assert blocks is not None
    assert list(blocks) == ["court-1", "tax-2"]
    assert (blocks["court-1"].direction, blocks["court-1"].authority) == ("debits", "court")
    assert (blocks["court-1"].reason, blocks["court-1"].expires_at_ms) == ("order 7", None)
    when(lifted("alice", "tax-2"))
    then(happened(BlockLifted, account="alice", block="tax-2", reason="order lifted", expired=False))
    when(transfer("nostro", "alice", 1))
    then(happened(TransferPosted))
    when(transfer("alice", "nostro", 1))
    then(rejected("account_blocked", account="alice", direction="debits"))
    when(lifted("alice", "court-1"), transfer("alice", "nostro", 1))
    then(happened(TransferPosted))
    assert the_account("alice").blocks is None


def test_a_block_expires_at_its_time_and_not_before() -> None:
    expires = BEGAN_MS + DAY_MS // 2
    told = given(account("alice", balance=10), block("alice", "b", expires_at_ms=expires))
    told.now = expires - 2
    when(transfer("alice", "nostro", 1))
    then(rejected("account_blocked"))
    told.now = expires - 1  # the next command is a millisecond later
    when(transfer("alice", "nostro", 1))
    then(happened(TransferPosted))
    (gone,) = (one for one in told.events() if isinstance(one, BlockLifted))
    assert (gone.account, gone.block, gone.reason, gone.expired) == ("alice", "b", "expired", True)
    assert (gone.at, gone.timer, gone.command, gone.cause) == (expires, "block\nalice\nb", "", -1)
    assert the_account("alice").blocks is None


def test_a_block_that_has_expired_stops_nothing_even_before_its_timer_has_fired() -> None:
    told = given(account("alice", balance=10), account("bob"))
    expires = told.now + DAY_MS
    when(block("alice", "b", expires_at_ms=expires), block("bob", "b", expires_at_ms=expires))
    alice = the_account("alice")
    pay = told.command(transfer("alice", "bob", 1))
    done = told.command(closed("bob"))
    assert isinstance(pay, Transfer)
    assert isinstance(done, CloseAccount)
    directions: tuple[Direction, ...] = ("debits", "credits")
    for direction in directions:
        assert is_blocked(alice, direction, expires - 1)
        assert not is_blocked(alice, direction, expires)
    assert isinstance(decide_transfer(told.book, pay, expires - 1), Rejection)
    assert isinstance(decide_transfer(told.book, pay, expires), TransferPosted)
    assert isinstance(close_account(told.book, done, expires - 1), Rejection)
    assert isinstance(close_account(told.book, done, expires), AccountClosed)


def test_a_block_that_was_lifted_no_longer_expires() -> None:
    told = given(account("alice"), block("alice", "b", expires_at_ms=BEGAN_MS + DAY_MS))
    when(lifted("alice", "b"), advance(BEGAN_MS + 2 * DAY_MS))
    assert [one.expired for one in told.events() if isinstance(one, BlockLifted)] == [False]
    when(block("alice", "b", expires_at_ms=told.now + 2 * DAY_MS))
    then(happened(AccountBlocked))


def test_blocks_of_other_accounts_may_have_the_same_id() -> None:
    expires = BEGAN_MS + DAY_MS
    told = given(account("alice"), account("bob"))
    when(block("alice", "b", expires_at_ms=expires), block("bob", "b", expires_at_ms=expires), later(days=2))
    when(transfer("nostro", "bob", 1))
    gone = [(one.account, one.block) for one in told.events() if isinstance(one, BlockLifted)]
    assert gone == [("alice", "b"), ("bob", "b")]


# --- closing ----------------------------------------------------------------------------------------------


def test_an_account_is_closed_once_it_holds_nothing() -> None:
    given(account("alice", balance=10))
    when(closed("alice"))
    then(rejected("account_not_empty", booked=10, held=0))
    when(transfer("alice", "nostro", 10), closed("alice"))
    then(happened(AccountClosed, account="alice", reason="done"))
    assert not the_account("alice").is_open
    assert story().book.parties["p-alice"].open_accounts == 0
    when(transfer("nostro", "alice", 1))
    then(rejected("account_not_open", account="alice"))
    when(account("alice")[1])  # type: ignore[index]
    then(rejected("account_exists", account="alice"))


def test_an_account_with_something_held_or_below_zero_is_not_empty() -> None:
    given(account("alice", overdraft=5), internal("own"))
    when(transfer("alice", "own", 5), closed("alice"))
    then(rejected("account_not_empty", booked=-5))
    when(transfer("own", "alice", 5))
    when(hold("alice", 1), closed("alice"))
    then(rejected("account_not_empty", booked=0, held=1))


def test_an_account_of_the_banks_own_is_closed_too() -> None:
    given(internal("old"))
    when(closed("old"))
    then(happened(AccountClosed))


def test_an_account_that_stands_blocked_is_not_closed() -> None:
    given(account("alice"), block("alice", "b", "credits", BEGAN_MS + DAY_MS))
    when(closed("alice"))
    then(rejected("account_blocked", account="alice"))
    when(later(days=1), closed("alice"))
    then(happened(AccountClosed))


# --- rejections -------------------------------------------------------------------------------------------


def opened(**fields: Any) -> Said:
    """Another account for Alice."""
    return say(OpenAccount, **{"account": "new", "currency": "EUR", "party": "p-alice", **fields})


GIVEN: list[Word] = [
    party("waiting", "pending"),
    account("alice", overdraft=10),
    transfer("alice", "nostro", 5),
    block("alice", "b"),
    account("gone"),
    closed("gone"),
    product("modest", currencies=["EUR"], overdraft={"EUR": 10}),
    account("dave", product="modest"),
]


REJECTIONS: list[tuple[Reason, Said]] = [
    # One row a rejection, in the order in which they are checked; each row has the later faults, too.
    ("account_exists", internal("alice", "customer", currency="XXX", ledger="9")),
    ("unknown_currency", internal("new", "customer", currency="XXX", ledger="9")),
    ("account_kind_mismatch", internal("new", "customer", ledger="9")),
    ("account_kind_mismatch", internal("new", "income", party="nobody", overdraft=1, ledger="9")),
    ("party_not_found", internal("new", "customer", party="nobody", ledger="9")),
    ("party_not_active", internal("new", "customer", party="waiting", ledger="9")),
    ("overdraft_not_allowed", internal("new", "income", overdraft=1, ledger="9")),
    ("product_not_found", opened(product="unheard-of", currency="USD", overdraft=11, ledger="9")),
    ("currency_not_in_product", opened(product="modest", currency="USD", overdraft=11, ledger="9")),
    ("overdraft_above_product", opened(product="modest", overdraft=11, ledger="9")),
    ("ledger_not_found", internal("new", "income", ledger="9")),
    ("ledger_not_found", internal("new", "income", ledger="5000")),
    # overdrafts
    ("account_not_found", overdraft("nobody", 0)),
    ("account_not_open", overdraft("gone", 0)),
    ("overdraft_not_allowed", overdraft("nostro", 0)),
    ("nothing_to_change", overdraft("alice", 10)),
    ("overdraft_above_product", overdraft("dave", 11)),
    ("overdraft_in_use", overdraft("alice", 4)),
    # blocks
    ("account_not_found", block("nobody", "b", expires_at_ms=1)),
    ("account_not_open", block("gone", "b", expires_at_ms=1)),
    ("block_exists", block("alice", "b", expires_at_ms=1)),
    ("expiry_in_past", block("alice", "c", expires_at_ms=1)),
    ("account_not_found", lifted("nobody", "c")),
    ("account_not_open", lifted("gone", "c")),
    ("block_not_found", lifted("alice", "c")),
    ("block_not_found", lifted("nostro", "b")),
    # closing
    ("account_not_found", closed("nobody")),
    ("account_not_open", closed("gone")),
    ("account_blocked", closed("alice")),
    ("account_not_empty", closed("nostro")),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(*GIVEN)
    when(said)
    then(rejected(reason))


def test_a_block_expires_after_now() -> None:
    told = given(account("alice"))
    when(block("alice", "b", expires_at_ms=told.now + 1))
    then(rejected("expiry_in_past", expires_at_ms=told.now, at=told.now))
    when(block("alice", "b", expires_at_ms=told.now + 2))
    then(happened(AccountBlocked))
    assert balance("alice") == 0
