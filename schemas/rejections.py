"""The catalogue of rejections: every reason an outcome can have, what it means, and whether to try again.

`reason` and `figures` are public, a few aside (`schemas/withheld.py`): callers may read them. What only risk
staff may know stands in `restricted` and never leaves the events topic. The catalogue only grows; a released
reason keeps its meaning.
"""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from schemas.fields import INT64_MAX
from schemas.message import Event

Reason = Literal[
    # the record itself
    "undecodable",
    "too_large",
    "unknown_book",
    "wrong_partition",
    "actor_unproven",
    "issued_in_future",
    "clock_unconfirmed",
    # who may, and repeats
    "not_permitted",
    "id_reused",
    "too_old",
    "busy",
    "internal_error",
    # books
    "book_exists",
    "unknown_time_zone",
    "unknown_currency",
    "administrators_missing",
    "duplicate_line",
    "chart_incomplete",
    "time_not_ahead",
    "clock_not_commanded",
    "nothing_to_confirm",
    "period_not_open",
    "asset_exists",
    # access
    "person_exists",
    "person_not_found",
    "actor_exists",
    "actor_not_found",
    "unknown_command_type",
    "role_not_found",
    "role_already_granted",
    "role_not_granted",
    "not_for_systems",
    "actor_already_suspended",
    "actor_not_suspended",
    "last_administrator",
    # parties
    "party_exists",
    "party_not_found",
    "nothing_to_change",
    "status_change_not_allowed",
    "party_has_accounts",
    "party_not_active",
    # accounts
    "account_exists",
    "account_not_found",
    "account_not_open",
    "account_kind_mismatch",
    "ledger_not_found",
    "currency_mismatch",
    "overdraft_not_allowed",
    "overdraft_in_use",
    "block_exists",
    "block_not_found",
    "expiry_in_past",
    "account_blocked",
    "account_not_empty",
    # interest and end of day
    "no_interest_accrued",
    "interest_accrued",
    "day_not_finished",
    "account_in_use",
    "account_serves",
    # transfers
    "same_account",
    "unbalanced",
    "too_many_legs",
    "zero_amount",
    "value_date_in_future",
    "insufficient_funds",
    "overflow",
    "transfer_not_found",
    "already_reversed",
    "refund_exceeds_original",
    # payments between books
    "crossing_exists",
    "counterpart_not_found",
    "not_the_relay",
    "crossing_not_found",
    "crossing_settled",
    "crossing_differs",
    "crossing_answered",
    # holds
    "hold_exists",
    "hold_not_found",
    "capture_exceeds_hold",
    # payments out
    "payment_exists",
    "payment_not_found",
    "rail_not_found",
    "currency_not_served",
    "corridor_not_served",
    "above_rail_maximum",
    "execution_date_in_past",
    "payment_state_conflict",
    "reporter_not_adapter",
    "already_reported",
    "return_exceeds_payment",
    "stop_exists",
    "stop_unclear",
    "stop_not_found",
    "payment_not_in_repair",
    "repair_not_possible",
    "resends_exhausted",
    "second_person_needed",
    "declined",
    # documents
    "document_invalid",
    "version_not_newer",
    "effective_in_past",
    # approvals
    "second_person_missing",
    "toxic_permissions",
    "too_many_waiting",
    "approval_not_found",
    "approval_expired",
    "approval_withdrawn",
    "approval_decided",
    "shown_changed",
    "maker_cannot_check",
    "already_approved_by_person",
    "role_not_asked",
    "not_maker",
    "delegation_exists",
    "delegation_not_found",
    "delegation_to_self",
    "delegation_period",
    "not_delegator",
    # products, limits, fees
    "product_not_found",
    "currency_not_in_product",
    "overdraft_above_product",
    "movement_not_allowed",
    "limit_exceeded",
    "limit_not_found",
    "fee_not_found",
    # bulks
    "bulk_exists",
    "control_total_missing",
    "control_count_wrong",
    "control_sum_wrong",
    "instruction_refused",
    # currencies and value dates
    "quote_exists",
    "quote_expired",
    "quote_used",
    "quote_not_found",
    "quote_differs",
    "same_currency",
    "not_of_party",
    "amount_unclear",
    "below_minimum",
    "rate_unavailable",
    "period_still_open",
    "year_closed",
    "named_in_rates",
    "approval_needed",
    # payments in
    "receipt_exists",
    "suspense_account_missing",
    "receipt_not_found",
    "receipt_not_in_suspense",
    "receipt_not_credited",
    # flags
    "key_malformed",
    "document_not_in_force",
    "at_capacity",
    # orders
    "order_exists",
    "order_not_found",
    "order_paused",
    "order_not_paused",
    "calendar_not_found",
    "first_date_in_past",
    "no_run_left",
    # cases
    "case_exists",
    "case_not_found",
    "case_state_conflict",
    "case_merged",
    "not_assignee",
    "about_oneself",
    "not_in_team",
    "not_on_shift",
    "case_load_reached",
    "team_capacity_reached",
    "queue_empty",
    "nobody_fits",
    "not_a_case_worker",
    "skill_missing",
    "checklist_open",
    "act_not_of_case",
    "decision_refused",
    "proposal_changed",
    "proposer_not_permitted",
    "people_differ",
    "item_not_found",
    "already_attached",
    "not_sampled",
    "report_exists",
    "report_differs",
    "report_open",
    "report_state_conflict",
]
REASONS: tuple[str, ...] = get_args(Reason)

Advice = Literal["correct it", "same id, later", "new id, later", "ask the bank"]


class Rejection(msgspec.Struct, frozen=True, gc=False):
    """What `decide` returns when the answer is no. `figures` are the values behind it."""

    reason: Reason
    figures: dict[str, int | str] = {}
    restricted: str = ""


class CommandRejected(Event, tag="CommandRejected"):
    """The command was refused and nothing changed.

    reason: from the catalogue.   figures: the values behind it (amounts in minor units).
    restricted: detail for staff only; never shown to the caller.
    record: 16 hex digits over the record's bytes, where no fingerprint says what was asked; else empty.
    """

    reason: Reason
    figures: dict[str, int | str] = {}
    restricted: str = ""
    record: str = ""


class CommandRepeated(Event, tag="CommandRepeated"):
    """The command is known: this is its first outcome again.

    first_seq: seq of the first event of that outcome.   reason: its rejection, or empty if it was accepted.
    """

    first_seq: int
    reason: str = ""


def reject(reason: Reason, restricted: str = "", **figures: int | str) -> Rejection:
    """A rejection with the figures behind it: `reject("insufficient_funds", available=1200, needed=1500)`.

    A sum may leave 64 bits, which no reader of ours or others' need take, so there it is text.
    """
    for name, figure in figures.items():
        if isinstance(figure, int) and not -INT64_MAX <= figure <= INT64_MAX:
            figures[name] = str(figure)
    return Rejection(reason, figures, restricted)


UNREMEMBERED: frozenset[str] = frozenset(
    {
        "undecodable",
        "too_large",
        "unknown_book",
        "wrong_partition",
        "actor_unproven",
        "issued_in_future",
        "clock_unconfirmed",
        "not_permitted",
        "id_reused",
        "too_old",
        "busy",
    }
)
"""Reasons given before a command counts as decided: the same id may be sent again and is then decided."""


WAITED_MS = "waited_ms"
"""The figure of a `busy` that is the engine's, whose backlog is too long, and not the book's."""


class Entry(msgspec.Struct, frozen=True):
    """A line of the catalogue. text: one sentence with `{figures}` in it.   advice: what to do next.

    instead: the sentence where there is another cause, by the figure that only this one has.
    """

    text: str
    advice: Advice
    instead: dict[str, str] = {}


CATALOGUE: dict[str, Entry] = {
    "undecodable": Entry("The record is not a command: {problem}", "correct it"),
    "too_large": Entry(
        "The command has {bytes} bytes, and the most is {most}: send it in parts.", "correct it"
    ),
    "unknown_book": Entry("There is no book {book}.", "correct it"),
    "wrong_partition": Entry(
        "The record's key is not its book, or the book lives on another partition.", "correct it"
    ),
    "actor_unproven": Entry("Nothing proves that {actor} sent this.", "correct it"),
    "issued_in_future": Entry("issued_at_ms is {ahead_ms} ms ahead of the book's clock.", "same id, later"),
    "clock_unconfirmed": Entry(
        "The clock jumped by {jump_ms} ms; an operator has to confirm it with ConfirmClock.", "same id, later"
    ),
    "not_permitted": Entry("{actor} may not do this.", "ask the bank"),
    "id_reused": Entry("The id was used before for another command (see seq {first_seq}).", "correct it"),
    "too_old": Entry(
        "The command was issued at {issued_at_ms}, at or before {floor_ms}, up to which ids are forgotten; "
        "whether it was done is unknown.",
        "ask the bank",
    ),
    "busy": Entry(
        "The book already remembers {remembered} ids, its cap.",
        "same id, later",
        {WAITED_MS: "More waits for the book than it can take on: this has waited for {waited_ms} ms."},
    ),
    "internal_error": Entry("The engine failed to decide this command; nothing was changed.", "ask the bank"),
    "book_exists": Entry("There is already a book {book}.", "correct it"),
    "unknown_time_zone": Entry("{time_zone} is no time zone of the tz database.", "correct it"),
    "unknown_currency": Entry(
        "{currency} is neither an ISO 4217 currency nor a registered asset.", "correct it"
    ),
    "administrators_missing": Entry("A book needs at least one administrator.", "correct it"),
    "duplicate_line": Entry("{line} stands in the list twice.", "correct it"),
    "chart_incomplete": Entry("The chart of accounts has no line for accounts of kind {kind}.", "correct it"),
    "time_not_ahead": Entry("The book's time is already {at}.", "correct it"),
    "clock_not_commanded": Entry(
        "The book follows the wall clock; only a commanded book can be advanced.", "correct it"
    ),
    "nothing_to_confirm": Entry("The clock has not jumped.", "correct it"),
    "period_not_open": Entry("{date} is outside the open period, which began on {open_from}.", "correct it"),
    "asset_exists": Entry("There is already an asset {asset}.", "correct it"),
    "person_exists": Entry("There is already a person {person}.", "correct it"),
    "person_not_found": Entry("There is no person {person}.", "correct it"),
    "actor_exists": Entry("There is already a user or system {actor}.", "correct it"),
    "actor_not_found": Entry("There is no user or system {actor}.", "correct it"),
    "unknown_command_type": Entry("There is no command type {command}.", "correct it"),
    "role_not_found": Entry("There is no role {role}.", "correct it"),
    "role_already_granted": Entry("{actor} already has the role {role}.", "correct it"),
    "role_not_granted": Entry("{actor} does not have the role {role}.", "correct it"),
    "not_for_systems": Entry("A system may not have a role that allows {command}.", "correct it"),
    "actor_already_suspended": Entry("{actor} is suspended already.", "correct it"),
    "actor_not_suspended": Entry("{actor} is not suspended.", "correct it"),
    "last_administrator": Entry("Nobody could grant roles any more.", "correct it"),
    "party_exists": Entry("There is already a party {party}.", "correct it"),
    "party_not_found": Entry("There is no party {party}.", "correct it"),
    "nothing_to_change": Entry("The command changes nothing.", "correct it"),
    "status_change_not_allowed": Entry("A party that is {status} cannot become {wanted}.", "correct it"),
    "party_has_accounts": Entry("The party still has {accounts} open accounts.", "correct it"),
    "party_not_active": Entry("The party {party} is {status}.", "ask the bank"),
    "account_exists": Entry("There is already an account {account}.", "correct it"),
    "account_not_found": Entry("There is no account {account}.", "correct it"),
    "account_not_open": Entry("The account {account} is closed.", "correct it"),
    "account_kind_mismatch": Entry("{detail}", "correct it"),
    "ledger_not_found": Entry(
        "The chart of accounts has no line {ledger} for accounts of kind {kind}.", "correct it"
    ),
    "currency_mismatch": Entry(
        "The account {account} is kept in {account_currency}, not in {currency}.", "correct it"
    ),
    "overdraft_not_allowed": Entry("Only customer accounts have an overdraft.", "correct it"),
    "overdraft_in_use": Entry("{used} of the overdraft is in use.", "correct it"),
    "block_exists": Entry("There is already a block {block} on the account.", "correct it"),
    "block_not_found": Entry("There is no block {block} on the account.", "correct it"),
    "expiry_in_past": Entry("The expiry {expires_at_ms} is not after the book's time {at}.", "correct it"),
    "account_blocked": Entry("The account {account} is blocked for {direction}.", "ask the bank"),
    "account_not_empty": Entry("The account still holds {booked} booked and {held} held.", "correct it"),
    "no_interest_accrued": Entry("There is no interest that could be booked to {account} now.", "correct it"),
    "interest_accrued": Entry(
        "Accrued interest is not booked yet ({credit} to receive, {debit} to pay): CapitaliseInterest.",
        "correct it",
    ),
    "day_not_finished": Entry("End of day for {date} is not finished.", "new id, later"),
    "account_in_use": Entry("The product {product} books its interest there.", "correct it"),
    "account_serves": Entry("The {kind} {id} goes by it.", "correct it"),
    "same_account": Entry("Debit and credit are the same account.", "correct it"),
    "unbalanced": Entry("The legs in {currency} sum to {sum}, not to zero.", "correct it"),
    "too_many_legs": Entry("{legs} legs; a posting has 2 to {most}.", "correct it"),
    "zero_amount": Entry("The leg of {account} moves nothing.", "correct it"),
    "value_date_in_future": Entry(
        "The value date {value_date} is after the booking date {booking_date}.", "correct it"
    ),
    "insufficient_funds": Entry(
        "Available {available}, needed {needed} (minor units of {currency}).", "new id, later"
    ),
    "overflow": Entry("The balance of {account} would leave the range of 64 bits.", "correct it"),
    "transfer_not_found": Entry(
        "Seq {transfer} is no transfer of this book that can still be reversed or refunded.", "correct it"
    ),
    "already_reversed": Entry("The transfer {transfer} has been reversed or refunded.", "correct it"),
    "refund_exceeds_original": Entry("{left} is left to refund, {wanted} was asked for.", "correct it"),
    "crossing_exists": Entry("The payment {transfer} is on its way to another book.", "correct it"),
    "counterpart_not_found": Entry(
        "Nothing is agreed with a book {counterpart} about payments in {currency}.", "ask the bank"
    ),
    "not_the_relay": Entry(
        "{actor} is not the system that brings what the book {counterpart} has recorded.", "correct it"
    ),
    "crossing_not_found": Entry("There is no payment {number} between here and {counterpart}.", "correct it"),
    "crossing_settled": Entry(
        "The payment {number} between here and {counterpart} is settled and forgotten.", "correct it"
    ),
    "crossing_differs": Entry(
        "The payment {number} between here and {counterpart} is another one (see seq {seq}).", "correct it"
    ),
    "crossing_answered": Entry(
        "The payment {number} of {counterpart} was answered at seq {seq}: {answer}.", "correct it"
    ),
    "hold_exists": Entry("There is already a hold {hold}.", "correct it"),
    "hold_not_found": Entry("There is no open hold {hold}.", "correct it"),
    "capture_exceeds_hold": Entry("{left} is left of the hold, {wanted} was to be captured.", "correct it"),
    "payment_exists": Entry("There is already a payment {payment}.", "correct it"),
    "payment_not_found": Entry("There is no payment {payment}.", "correct it"),
    "rail_not_found": Entry("There is no rail {rail} in force.", "correct it"),
    "currency_not_served": Entry("The rail {rail} does not take {currency}.", "correct it"),
    "corridor_not_served": Entry("The rail {rail} does not go {corridor}.", "correct it"),
    "above_rail_maximum": Entry("The rail {rail} takes at most {maximum}, not {wanted}.", "correct it"),
    "execution_date_in_past": Entry("{execution_date} is before {today}, which it is.", "correct it"),
    "payment_state_conflict": Entry(
        "The payment {payment} is {status}, so it cannot be {wanted}.", "correct it"
    ),
    "reporter_not_adapter": Entry("{actor} does not speak for the rail {rail}.", "ask the bank"),
    "already_reported": Entry("That the payment {payment} is {status} is known or overtaken.", "correct it"),
    "return_exceeds_payment": Entry("{left} can still come back, not {wanted}.", "ask the bank"),
    "stop_exists": Entry("There is already a stop {stop}.", "correct it"),
    "stop_unclear": Entry(
        "A stop of a {scope} {value} is unclear: the whole book has no value, all else has one.", "correct it"
    ),
    "stop_not_found": Entry("There is no stop {stop}.", "correct it"),
    "payment_not_in_repair": Entry("The payment {payment} is not in repair.", "correct it"),
    "repair_not_possible": Entry(
        "A payment that is {status} cannot be repaired by {action} ({why}).", "correct it"
    ),
    "resends_exhausted": Entry(
        "The payment {payment} was sent again {resends} times, which is the most.", "correct it"
    ),
    "second_person_needed": Entry(
        "{person} proposed this; another person has to confirm it.", "ask the bank"
    ),
    "declined": Entry("The bank has declined this.", "ask the bank"),
    "document_invalid": Entry("{problems} in the document: {detail}", "correct it"),
    "version_not_newer": Entry("Version {version} is not above {latest}, the latest.", "correct it"),
    "effective_in_past": Entry(
        "It would be in force from {effective_from_ms}, before the book's time {at}.", "correct it"
    ),
    "second_person_missing": Entry(
        "A book with four eyes opens with two different persons as administrators; {persons} is not enough.",
        "correct it",
    ),
    "toxic_permissions": Entry("One role must not permit both {one} and {other}.", "correct it"),
    "too_many_waiting": Entry("{waiting} commands wait for approval already.", "new id, later"),
    "approval_not_found": Entry(
        "Seq {approval} is no approval that waits or that is still remembered.", "correct it"
    ),
    "approval_expired": Entry("The approval {approval} has expired.", "new id, later"),
    "approval_withdrawn": Entry("The approval {approval} was withdrawn by its maker.", "correct it"),
    "approval_decided": Entry("The approval {approval} is decided: {status}.", "correct it"),
    "shown_changed": Entry(
        "What was approved is not what waits now; its digest is {shown}. Look again.", "new id, later"
    ),
    "maker_cannot_check": Entry("{person} made this and cannot decide on it.", "ask the bank"),
    "already_approved_by_person": Entry("{person} counts for this approval already.", "correct it"),
    "role_not_asked": Entry("{actor} has no role that this approval still asks for.", "ask the bank"),
    "not_maker": Entry("Only {maker}, who made it, can withdraw it.", "correct it"),
    "delegation_exists": Entry("There is already a delegation {delegation}.", "correct it"),
    "delegation_not_found": Entry("There is no delegation {delegation}.", "correct it"),
    "delegation_to_self": Entry("Nobody stands in for themselves.", "correct it"),
    "delegation_period": Entry(
        "A delegation ends after it begins and after {at}, at most a year from then.", "correct it"
    ),
    "not_delegator": Entry("Only who gave the delegation, or has it, can end it.", "correct it"),
    "product_not_found": Entry("There is no product {product} in force.", "correct it"),
    "currency_not_in_product": Entry(
        "No account of the product {product} is kept in {currency}.", "correct it"
    ),
    "overdraft_above_product": Entry(
        "The product {product} allows an overdraft of {most} (minor units of {currency}).", "correct it"
    ),
    "movement_not_allowed": Entry(
        "The product {product} of {account} does not provide for {movement}.", "correct it"
    ),
    "limit_exceeded": Entry(
        "The limit {limit} is {most}, and {wanted} more would exceed it.", "new id, later"
    ),
    "limit_not_found": Entry(
        "No limit {limit} in force counts by {by} and holds for {holder}.", "correct it"
    ),
    "fee_not_found": Entry(
        "The event {charged} has no fee of the line {line} from {account} that can still be given back.",
        "correct it",
    ),
    "bulk_exists": Entry("There is already a bulk {bulk}.", "correct it"),
    "control_total_missing": Entry("The bulk pays in {currency}, for which it has no total.", "correct it"),
    "control_count_wrong": Entry(
        "The bulk has {found} instructions in {currency}, and its total says {told}.", "correct it"
    ),
    "control_sum_wrong": Entry(
        "The instructions come to {found}, and the total says {told} (minor units of {currency}).",
        "correct it",
    ),
    "instruction_refused": Entry(
        "All or nothing: the instruction {index} (from 0) is refused as {refused}.", "correct it"
    ),
    "quote_exists": Entry("There is already a quote {quote}.", "correct it"),
    "quote_expired": Entry("The quote {quote} has expired.", "new id, later"),
    "quote_used": Entry("The quote {quote} has been used.", "correct it"),
    "quote_not_found": Entry("There is no quote {quote}.", "correct it"),
    "quote_differs": Entry("The quote {quote} was given for another exchange.", "correct it"),
    "same_currency": Entry("{currency} is not exchanged for itself.", "correct it"),
    "not_of_party": Entry("The account {account} does not belong to the party {party}.", "correct it"),
    "amount_unclear": Entry("Exactly one of sell_amount and buy_amount is to be given.", "correct it"),
    "below_minimum": Entry(
        "{amount} is below the minimum of {minimum} (minor units of {currency}).", "correct it"
    ),
    "rate_unavailable": Entry("There is no rate from {sell} to {buy} (table {table}).", "ask the bank"),
    "period_still_open": Entry(
        "{date} is within the open period, which began on {open_from}; no approval is needed there.",
        "correct it",
    ),
    "year_closed": Entry("{date} is before {earliest}: that year is closed.", "correct it"),
    "named_in_rates": Entry("The table {table} books exchanges there.", "correct it"),
    "approval_needed": Entry(
        "This can only be done with the approval of others, and no policy in force asks for it.",
        "ask the bank",
    ),
    "receipt_exists": Entry("There is already a receipt {receipt}.", "correct it"),
    "suspense_account_missing": Entry(
        "No suspense document in force has an account for {currency}, so nothing can be received in it.",
        "ask the bank",
    ),
    "receipt_not_found": Entry("There is no receipt {receipt}.", "correct it"),
    "receipt_not_in_suspense": Entry("The receipt {receipt} does not wait in suspense.", "correct it"),
    "receipt_not_credited": Entry("The receipt {receipt} was not credited.", "correct it"),
    "key_malformed": Entry("It is to be a key of {digits} hex digits.", "correct it"),
    "document_not_in_force": Entry("A document that it names is not in force.", "correct it"),
    "at_capacity": Entry("There is no room for more of these; the most is {most}.", "new id, later"),
    "order_exists": Entry("There is already an order {order}, or was.", "correct it"),
    "order_not_found": Entry("There is no order {order} that stands.", "correct it"),
    "order_paused": Entry("The order {order} is paused already.", "correct it"),
    "order_not_paused": Entry("The order {order} is not paused.", "correct it"),
    "calendar_not_found": Entry("There is no calendar {calendar} in force.", "correct it"),
    "first_date_in_past": Entry("The first date {first} is before today, {today}.", "correct it"),
    "no_run_left": Entry("No date of the order is on or before its last.", "correct it"),
    # No figure of these says which case it is, or who is concerned: a public record has them.
    "case_exists": Entry("There is such a case already.", "correct it"),
    "case_not_found": Entry("There is no such case, or it is not for this user.", "correct it"),
    "case_state_conflict": Entry("The case is {status}, so this cannot be done.", "correct it"),
    "case_merged": Entry("The case went into another one, which can be reopened.", "correct it"),
    "not_assignee": Entry("Only who has the case can do this.", "correct it"),
    "about_oneself": Entry("Nobody works on a case about themselves.", "ask the bank"),
    "not_in_team": Entry("The policy has no team with this user in it.", "ask the bank"),
    "not_on_shift": Entry("It is not the user's shift.", "new id, later"),
    "case_load_reached": Entry("The user has {has} cases, and {most} at once is the most.", "new id, later"),
    "team_capacity_reached": Entry("The team has had {most} cases today, its most.", "new id, later"),
    "queue_empty": Entry("Nothing in the queue is for this user.", "new id, later"),
    "nobody_fits": Entry("Nobody on shift can have the case now.", "new id, later"),
    "not_a_case_worker": Entry("{actor} has no role that permits to take cases.", "ask the bank"),
    "skill_missing": Entry("{actor} does not know about {skill}, which is asked for.", "correct it"),
    "checklist_open": Entry("{left} on the checklist is not done, {item} first.", "correct it"),
    "act_not_of_case": Entry(
        "The case does not concern what act {act} (from 0), {action}, is of; or it is there twice.",
        "correct it",
    ),
    "decision_refused": Entry(
        "All or nothing: act {act} (from 0), {action}, is refused as {refused}.", "correct it"
    ),
    "proposal_changed": Entry("That is not what is proposed now. Look again.", "new id, later"),
    "proposer_not_permitted": Entry(
        "Who proposed this may do so no longer; somebody else has to propose it.", "ask the bank"
    ),
    "people_differ": Entry("Not the same people may see both cases.", "correct it"),
    "item_not_found": Entry("There is no {item} on the checklist.", "correct it"),
    "already_attached": Entry("The case has this paper already.", "correct it"),
    "not_sampled": Entry("The case was not drawn for a second look, or has had it.", "correct it"),
    "report_exists": Entry("There is such a report already.", "correct it"),
    "report_differs": Entry("The case has another report that is not filed yet.", "correct it"),
    "report_open": Entry("The case has a report that is not filed yet.", "correct it"),
    "report_state_conflict": Entry("The report is {status}, so this cannot be done.", "correct it"),
}


def sentence(reason: str, figures: dict[str, int | str]) -> str:
    """The catalogue's sentence for a rejection, with its figures filled in."""
    entry = CATALOGUE[reason]
    text = next((other for figure, other in entry.instead.items() if figure in figures), entry.text)
    return text.format_map(_Shown(figures))


class _Shown(dict[str, int | str]):
    def __missing__(self, key: str) -> str:
        return f"({key} not given)"
