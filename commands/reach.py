"""What a command would touch: parties, kinds of account, products, branches, amounts. Scopes of roles and
lines of policies are judged by it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from book.fees import find_fee
from book.state import Book
from book.transfers import find_posted
from book.waiting import Waiting
from commands.touches import TOUCHES
from schemas import case_commands, case_reports, case_work
from schemas.accounts import BlockAccount, CloseAccount, LiftBlock, OpenAccount, SetOverdraft
from schemas.approvals import Approve, Decline, Withdraw
from schemas.bulk import SubmitBulk
from schemas.case_commands import MergeCases, OpenCase
from schemas.catalogue import COMMAND_TYPES
from schemas.crossbook import SendToBook
from schemas.exchange import Exchange, RequestQuote
from schemas.fees import WaiveFee
from schemas.flags import ClearFlag, RaiseFlag
from schemas.interest import CapitaliseInterest
from schemas.limits import RaiseLimit
from schemas.message import Command
from schemas.parties import ChangePartyProfile, ChangePartyStatus, RatePartyRisk, RegisterParty
from schemas.reported import ReportAlerts
from schemas.transfers import PostEntries, RefundTransfer, ReverseTransfer, Transfer
from schemas.value_dates import PostBackValued


class Reach(msgspec.Struct):
    """What a command would touch. None in a part means that the part cannot be judged.

    amounts: (currency, minor units) of each movement.
    """

    parties: list[str] | None = None
    kinds: list[str] | None = None
    products: list[str] | None = None
    branches: list[str] | None = None
    amounts: list[tuple[str, int]] | None = None


def _of_accounts(book: Book, accounts: list[str], amounts: list[tuple[str, int]] | None = None) -> Reach:
    known = [book.accounts[one] for one in accounts if one in book.accounts]
    if len(known) != len(accounts):
        return Reach(amounts=amounts)
    return Reach(
        [account.party for account in known],
        [account.kind for account in known],
        [account.product for account in known],
        [account.branch for account in known],
        amounts,
    )


def _transfer(book: Book, command: Transfer) -> Reach:
    return _of_accounts(book, [command.debit], [(command.currency, command.amount)])


def _post_entries(book: Book, command: PostEntries | PostBackValued) -> Reach:
    moved = _moved([(leg.currency, leg.amount) for leg in command.legs])
    return _of_accounts(book, [leg.account for leg in command.legs], moved)


def _moved(legs: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """How much moves in each currency: the larger of what is taken and what is given, all legs together."""
    given: dict[str, int] = {}
    taken: dict[str, int] = {}
    for currency, amount in legs:
        side = given if amount > 0 else taken
        side[currency] = side.get(currency, 0) + abs(amount)
    return [(one, max(given.get(one, 0), taken.get(one, 0))) for one in {**given, **taken}]


def _bulk(book: Book, command: SubmitBulk) -> Reach:
    """All instructions together, so that no limit of an amount is passed by splitting it."""
    sums: dict[str, int] = {}
    for one in command.instructions:
        sums[one.currency] = sums.get(one.currency, 0) + one.amount
    return _of_accounts(book, [one.account for one in command.instructions], list(sums.items()))


def _send_to_book(book: Book, command: SendToBook) -> Reach:
    return _of_accounts(book, [command.account], [(command.currency, command.amount)])


def _taken_back(book: Book, command: ReverseTransfer | RefundTransfer) -> Reach:
    posted = find_posted(book, command.transfer)
    if posted is None:
        return Reach()
    if isinstance(command, RefundTransfer):
        amounts = [(posted.currency, command.amount)]
    else:
        amounts = _moved([(book.accounts[account].currency, amount) for account, amount in posted.legs])
    return _of_accounts(book, [account for account, _ in posted.legs], amounts)


def _open_account(book: Book, command: OpenAccount) -> Reach:
    amounts = [(command.currency, command.overdraft)]
    return Reach([command.party], [command.kind], [command.product], [command.branch], amounts)


def _set_overdraft(book: Book, command: SetOverdraft) -> Reach:
    account = book.accounts.get(command.account)
    return _of_accounts(book, [command.account], [(account.currency, command.overdraft)] if account else None)


def _account(book: Book, command: BlockAccount | LiftBlock | CloseAccount | CapitaliseInterest) -> Reach:
    return _of_accounts(book, [command.account])


def _raise_limit(book: Book, command: RaiseLimit) -> Reach:
    if command.by == "party":
        party = book.parties.get(command.holder)
        return Reach(parties=[command.holder], branches=None if party is None else [party.branch])
    lines = book.in_force.limits.get(command.limits, ())
    amounts = [
        (line.currency, command.most)
        for line in lines
        if line.name == f"{command.limits}/{command.line}" and line.sums
    ]
    return _of_accounts(book, [command.holder], amounts or None)


def _waive_fee(book: Book, command: WaiveFee) -> Reach:
    fee = find_fee(book, command.charged, command.account, command.line)
    return _of_accounts(book, [command.account], [(fee.currency, fee.amount)] if fee else None)


def _register_party(book: Book, command: RegisterParty) -> Reach:
    return Reach(parties=[command.party], branches=[command.branch])


def _party(book: Book, command: ChangePartyProfile | ChangePartyStatus | RatePartyRisk) -> Reach:
    party = book.parties.get(command.party)
    if party is None:
        return Reach(parties=[command.party])
    branches = [party.branch]
    if isinstance(command, ChangePartyProfile) and command.branch is not None:
        branches.append(command.branch)
    return Reach(parties=[command.party], branches=branches)


def _flag(book: Book, command: RaiseFlag | ClearFlag) -> Reach:
    """A payee and a device belong to nobody, so only a permit without a scope reaches them."""
    if command.subject == "account":
        return _of_accounts(book, [command.of])
    if command.subject == "party":
        party = book.parties.get(command.of)
        return Reach(parties=[command.of], branches=None if party is None else [party.branch])
    return Reach()


def asked_of(waiting: Waiting) -> Command:
    """The command that waits."""
    command: Command = msgspec.convert(waiting.asked, COMMAND_TYPES[waiting.asked["type"]])
    return command


def _of_what_waits(book: Book, command: Approve | Decline | Withdraw) -> Reach:
    """To decide on a command reaches as far as the command."""
    waiting = book.approvals.waiting.get(command.approval)
    if waiting is None:
        return Reach()
    asked = asked_of(waiting)
    find = REACH.get(type(asked))
    return Reach() if find is None else find(book, asked)


def _touching(book: Book, command: Command) -> Reach:
    touched = TOUCHES[type(command)](book, command)
    return Reach() if touched is None else _of_accounts(book, [touched[0]], touched[1])


def _request_quote(book: Book, command: RequestQuote) -> Reach:
    """Nothing moves yet: whose quote it is and of how much, on the side that is given."""
    accounts = [one for one in (command.debit, command.credit) if one]
    amounts = _given(command, command.sell, command.buy)
    if accounts or not command.party:
        return _of_accounts(book, accounts, amounts)
    return Reach(parties=[command.party], amounts=amounts)


def _exchange(book: Book, command: Exchange) -> Reach:
    quote = book.fx.quotes.get(command.quote)
    debit, credit = book.accounts.get(command.debit), book.accounts.get(command.credit)
    amounts: list[tuple[str, int]] | None = None
    if quote is not None:
        amounts = [(quote.lines[0].currency, quote.lines[0].amount)]
    elif debit is not None and credit is not None:
        amounts = _given(command, debit.currency, credit.currency)
    return _of_accounts(book, [command.debit, command.credit], amounts)


def _given(command: RequestQuote | Exchange, sell: str, buy: str) -> list[tuple[str, int]] | None:
    sides = ((sell, command.sell_amount), (buy, command.buy_amount))
    return [(currency, amount) for currency, amount in sides if amount is not None] or None


def _case(book: Book, command: Any) -> Reach:
    """Whom a case is about, and how much; one that is to be opened says it."""
    found = book.cases.by_id.get(command.case)
    if found is None:
        return Reach(parties=[command.party]) if isinstance(command, OpenCase | ReportAlerts) else Reach()
    other = book.cases.by_id.get(command.into) if isinstance(command, MergeCases) else None
    concerned = (*found.parties, *(other.parties if other is not None else ()))
    parties = [one for one in concerned if one in book.parties]
    branches = [book.parties[one].branch for one in parties]
    return Reach(parties, branches=branches, amounts=list(found.amounts.items()) or None)


REACH: dict[type[Command], Callable[[Book, Any], Reach]] = {
    Transfer: _transfer,
    PostEntries: _post_entries,
    ReverseTransfer: _taken_back,
    RefundTransfer: _taken_back,
    SendToBook: _send_to_book,
    SubmitBulk: _bulk,
    OpenAccount: _open_account,
    SetOverdraft: _set_overdraft,
    BlockAccount: _account,
    LiftBlock: _account,
    CloseAccount: _account,
    CapitaliseInterest: _account,
    RaiseLimit: _raise_limit,
    WaiveFee: _waive_fee,
    RaiseFlag: _flag,
    ClearFlag: _flag,
    RegisterParty: _register_party,
    ChangePartyProfile: _party,
    ChangePartyStatus: _party,
    RatePartyRisk: _party,
    Approve: _of_what_waits,
    Decline: _of_what_waits,
    Withdraw: _of_what_waits,
    **dict.fromkeys(TOUCHES, _touching),
    PostBackValued: _post_entries,
    RequestQuote: _request_quote,
    Exchange: _exchange,
    **{
        kind: _case
        for kind in (*case_commands.COMMANDS, *case_work.COMMANDS, *case_reports.COMMANDS)
        if "case" in kind.__struct_fields__
    },
    ReportAlerts: _case,
}
"""What each command touches. A command that is not here has nothing a scope could judge, so only a permit
without a scope allows it."""
