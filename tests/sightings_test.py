"""What an event says of payees, devices and parties, for those who look over all books."""

from detection.sightings import LOOKED, Sighter, Sighting
from schemas.payees import payee_key
from schemas.risk import Origin
from schemas.transfers import TransferPosted
from tests.payment_words import PAYEE, pay, rails
from tests.story import MAIN, Word, account, given, internal, story, transfer

PHONE = Origin(device="phone-1")


def sightings(*words: Word) -> list[Sighting]:
    """Of all that happens after the opening, by what the opening says of books and accounts."""
    given(account("alice", balance=10_000), account("bob"), internal("till"), rails())
    known: dict[str, str] = {}
    sighter = Sighter(known)
    before = story().events()
    for event in before:
        list(sighter.see(event))
    story().hear(*words)
    return [one for event in story().events()[len(before) :] for one in sighter.see(event)]


def seen(*words: Word) -> list[tuple[str, str, str, int, int]]:
    return [(one.subject, one.of, one.party, one.paid_in, one.paid_out) for one in sightings(*words)]


def test_a_transfer_is_seen_by_who_pays_and_who_is_paid() -> None:
    assert seen(transfer("alice", "bob", 100)) == [
        ("party", "p-alice", "p-alice", 0, 100),
        ("party", "p-bob", "p-bob", 100, 0),
    ]


def test_a_payment_is_seen_by_its_payee_and_the_device_too() -> None:
    assert seen(pay("p1", 700, origin=PHONE)) == [
        ("party", "p-alice", "p-alice", 0, 700),
        ("payee", payee_key(PAYEE.account), "p-alice", 0, 700),
        ("device", "phone-1", "p-alice", 0, 700),
    ]


def test_the_banks_own_accounts_are_nobodys() -> None:
    assert [one[0:2] for one in seen(transfer("alice", "till", 100))] == [("party", "p-alice")]


def test_a_sighting_knows_its_book_and_its_event() -> None:
    [payer, _] = sightings(transfer("alice", "bob", 100))
    posted = next(one for one in reversed(story().events()) if isinstance(one, TransferPosted))
    assert (payer.book, payer.clock, payer.time_zone) == (MAIN, "commanded", story().book.time_zone)
    assert (payer.seq, payer.at, payer.currency) == (posted.seq, posted.at, "EUR")


def test_books_of_wall_time_and_of_commanded_time_are_kept_apart_and_money_by_currency() -> None:
    [payer, paid] = sightings(transfer("alice", "bob", 100))
    assert payer.key != paid.key
    assert payer.key == f"commanded\nparty\n{payer.of}\nEUR"


def test_of_a_book_that_is_not_known_nothing_is_said() -> None:
    given(account("alice", balance=10_000), account("bob"))
    story().hear(transfer("alice", "bob", 100))
    moved = [one for one in story().events() if isinstance(one, TransferPosted)]
    assert [list(Sighter({}).see(one)) for one in moved] == [[] for _ in moved]


def test_what_is_looked_at_is_told_by_its_name() -> None:
    assert {"BookOpened", "AccountOpened", "TransferPosted", "PaymentSubmitted"} < LOOKED
