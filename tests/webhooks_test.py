"""Webhooks: signed, delivered at least once under the same id, whatever the receiver does."""

from __future__ import annotations

import base64
import contextlib
import datetime
import json
import random
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from console import webhooks as console_webhooks
from engine.log.kafka_output import KafkaOutput
from engine.log.kafka_reader import KafkaReader
from engine.log.records import Out
from gateway.webhooks import delivering
from gateway.webhooks.backoff import HOUR_S, Backoff
from gateway.webhooks.delivering import Delivery, Webhooks, attempt, body_of, queue_new, settle, wants
from gateway.webhooks.posting import Answer, Undelivered, post, target_of, trusting
from gateway.webhooks.sealing import Seal, SecretsUnreadable
from gateway.webhooks.signing import key_of, make_secret, signature
from gateway.webhooks.store import Endpoint, Store
from projections.database import connect
from schemas.alerts import Alert, encode_alert
from tests.kafka_servers import made
from tests.receiver import Behaviour, Got, Receiver, drips, floods, says, sends, stalls, verified

QUICK = Delivery(Backoff(first_s=0.02, factor=1.0, most_s=0.05, attempts=4), timeout_s=1.0, spare_s=1.0)
PATIENCE_S = 60.0


def alert(number: int, **fields: Any) -> Alert:
    told = {"source": "typology", "kind": "fan_in", "version": 1, "book": "main", "day": "2026-01-31"}
    return Alert(**{"id": f"{number:032x}", "at": number, "first_at": number, **told, **fields})


class Listed:
    """Alerts in a list, as a log of one partition."""

    def __init__(self, *some: Alert) -> None:
        self.values = [encode_alert(one) for one in some]

    def read(self, partition: int, after: int, most: int) -> Sequence[tuple[int, bytes]]:
        return list(enumerate(self.values))[after + 1 : after + 1 + most]


def until(happened: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < ends, "it does not happen"
        time.sleep(0.01)


class Site:
    """A database with a store, a key, and what runs on it."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.dsn = dsn
        self.seal = Seal(folder / "webhooks.key")
        self.secrets: dict[str, str] = {}
        self.session = connect(dsn)
        self.store = Store(self.session)
        self.store.make()
        self.store.begin(0, -1)

    def add(self, name: str, receiver: Receiver, **filters: Any) -> str:
        secret = self.secrets[name] = make_secret()
        sealed = self.seal.seal(secret, name)
        told = {"kind": "", "book": "", "confidence": 0, **filters}
        assert self.store.add(
            Endpoint(name, receiver.url, secret=sealed, old_secret=None, old_until=None, disabled="", **told)
        )
        return secret

    @contextlib.contextmanager
    def running(
        self, alerts: Listed, how: Delivery = QUICK, tls: ssl.SSLContext | None = None
    ) -> Iterator[None]:
        told = threading.Event()
        hooks = Webhooks(self.dsn, alerts, [0], self.seal, how, tls or trusting())
        thread = threading.Thread(target=hooks.run, args=(told,))
        thread.start()
        try:
            yield
        finally:
            told.set()
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


@pytest.fixture
def site(postgres_dsn: str, tmp_path: Path) -> Iterator[Site]:
    made = Site(postgres_dsn, tmp_path)
    yield made
    made.session.close()


# --- signatures -------------------------------------------------------------------------------------------


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of the Standard Webhooks specification, symmetric."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    made = signature(key_of(secret), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "secret", ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_no base64", "whsec_c2hvcnQ=", "whsec_" + "A" * 100]
)
def test_a_secret_that_is_none_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match=r"^(it|what)") as raised:
        key_of(secret)
    assert secret.removeprefix("whsec_") not in str(raised.value)


def test_every_secret_is_another_and_long_enough() -> None:
    made = {make_secret() for _ in range(100)}
    assert len(made) == 100
    assert {len(key_of(one)) for one in made} == {32}


def test_a_sealed_secret_is_opened_by_its_own_key_for_its_own_endpoint(tmp_path: Path) -> None:
    seal = Seal(tmp_path / "key")
    sealed = seal.seal("whsec_x", "one")
    assert b"whsec" not in sealed
    assert seal.open(sealed, "one") == "whsec_x"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    for other, about in ((seal, "two"), (Seal(tmp_path / "none"), "one")):
        with pytest.raises(SecretsUnreadable):
            other.open(sealed, about)


# --- when again -------------------------------------------------------------------------------------------


def test_waits_grow_to_a_limit_and_differ_by_message_and_seed() -> None:
    backoff = Backoff()
    for tried in range(1, backoff.attempts):
        whole = min(12 * HOUR_S, 5 * 4 ** (tried - 1))
        waits = [backoff.wait_s("e", f"m{n}", tried) for n in range(200)]
        assert all(whole / 2 <= one <= whole for one in waits)
        assert len(set(waits)) == 200
    assert backoff.wait_s("e", "m", 3) == backoff.wait_s("e", "m", 3)
    assert backoff.wait_s("e", "m", 3) != Backoff(seed="other").wait_s("e", "m", 3)
    assert backoff.wait_s("e", "m", 10**6) <= 12 * HOUR_S


def test_what_the_receiver_asks_for_is_honoured_and_bounded() -> None:
    backoff = Backoff()
    assert backoff.wait_s("e", "m", 1, 600.0) == 600.0
    assert backoff.wait_s("e", "m", 1, 0.0) >= 2.5
    assert backoff.wait_s("e", "m", 1, 1e12) == 12 * HOUR_S


# --- addresses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/x", "http://10.0.0.7/x", "http://169.254.169.254/", "ftp://e.com/", "example",
        "https://", "https://user:pw@example.com/", "https://example.com/#x", "https://example.com/a b",
        "https://example.com/\r\nX: y", "http://127.0.0.1.example.com/", "https://example.com:99999/",
    ],
)  # fmt: skip
def test_an_address_that_is_not_safe_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^(it|http|Port) "):
        target_of(url)


def test_an_address_is_taken_apart_and_shown_without_its_path() -> None:
    target = target_of("https://hooks.example.com/t/abc?token=t0ps3cret")
    assert (target.host, target.port, target.secure, target.path) == (
        "hooks.example.com", 443, True, "/t/abc?token=t0ps3cret",
    )  # fmt: skip
    assert target.shown == "https://hooks.example.com:443"
    assert target_of("http://[::1]:8080").shown == "http://[::1]:8080"
    assert target_of("http://localhost:1/x").port == 1


# --- one post ---------------------------------------------------------------------------------------------


def posted(behave: Behaviour, timeout_s: float = 0.6) -> Answer | str:
    with Receiver(behave) as receiver:
        try:
            return post(target_of(receiver.url), {"webhook-id": "m"}, b"{}", timeout_s, trusting())
        except Undelivered as error:
            return str(error)


def test_a_post_is_what_a_receiver_expects() -> None:
    with Receiver() as receiver:
        answer = post(target_of(receiver.url), {"webhook-id": "m"}, b'{"a":1}', 5.0, trusting())
    (got,) = receiver.got
    assert answer == Answer(204)
    assert (got.method, got.path, got.body, got.id) == ("POST", "/hook?token=t0ps3cret", b'{"a":1}', "m")
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert got.headers["content-type"] == "application/json"


LIES: list[tuple[Behaviour, str]] = [
    (stalls, "no answer within 0.6 s"),
    (drips, "no answer within 0.6 s"),
    (floods, "the answer's headers have more than 32768 bytes"),
    (sends(b""), "no answer"),
    (sends(b"HTTP/1.1 200 OK\r\nContent-Le"), "the connection ended within the answer"),
    (sends(b"HTTP/1.1 200 OK\r\n"), "the connection ended within the answer"),
    (sends(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "what answered does not speak HTTP/1.1"),
    (sends(b"HTTP/1.1 2000 OK\r\n\r\n"), "what answered does not speak HTTP/1.1"),
    (sends(b"\xff\xfe\r\n\r\n"), "what answered does not speak HTTP/1.1"),
]


@pytest.mark.parametrize(("behave", "why"), LIES)
def test_what_is_no_answer_is_none_and_costs_no_more_than_its_time(behave: Behaviour, why: str) -> None:
    assert posted(behave) == why


def test_nobody_at_home_and_no_such_name() -> None:
    with Receiver() as receiver:
        pass
    with pytest.raises(Undelivered, match="refused"):
        post(target_of(receiver.url), {}, b"", 1.0, trusting())


def test_what_comes_before_the_answer_is_not_the_answer() -> None:
    assert posted(sends(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 500 No\r\n\r\n")) == Answer(
        500
    )
    assert posted(sends(b"HTTP/1.1 100 Continue\r\n\r\n")) == "no answer"


def test_the_receiver_says_when_it_wants_more() -> None:
    assert posted(says(503, "Retry-After: 120")) == Answer(503, 120.0)
    then = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    answer = posted(says(429, f"Retry-After: {format_datetime(then, usegmt=True)}"))
    assert isinstance(answer, Answer)
    assert answer.retry_after_s is not None
    assert 3_500 < answer.retry_after_s <= 3_600
    never = f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT"
    for nonsense in ("soon", "-5", "1e9", "", "9" * 40, never):
        assert posted(says(503, f"Retry-After: {nonsense}")) == Answer(503)


def test_redirects_are_not_followed() -> None:
    with Receiver() as elsewhere:
        assert posted(says(302, f"Location: {elsewhere.url}")) == Answer(302)
        assert posted(says(307, f"Location: {elsewhere.url}")) == Answer(307)
        assert elsewhere.got == []


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, str]:
    """A server's context for a name, and the file of what to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, keys = folder / f"{name}.pem", folder / f"{name}.key"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    keys.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, keys)
    return context, str(file)


def test_over_tls_the_certificate_and_its_name_are_checked(tmp_path: Path) -> None:
    right, trusted = certificate(tmp_path, "localhost")
    wrong, other = certificate(tmp_path, "example.org")
    with Receiver(tls=right) as receiver:
        assert post(target_of(receiver.url), {}, b"{}", 5.0, trusting(trusted)) == Answer(204)
        with pytest.raises(Undelivered, match="TLS"):
            post(target_of(receiver.url), {}, b"{}", 5.0, trusting())
    with Receiver(tls=wrong) as receiver, pytest.raises(Undelivered, match="TLS"):
        post(target_of(receiver.url), {}, b"{}", 5.0, trusting(other))
    assert len(receiver.got) == 0


# --- what is wanted ---------------------------------------------------------------------------------------


def test_an_endpoint_gets_what_it_asked_for() -> None:
    def wanted(one: Alert, **filters: Any) -> bool:
        told = {"kind": "", "book": "", "confidence": 0, "disabled": "", **filters}
        return wants(Endpoint("e", "", secret=b"", old_secret=None, old_until=None, **told), one)

    rule = alert(1, source="rule", kind="payments/large", confidence=600)
    assert wanted(rule)
    assert wanted(rule, kind="payments/large")
    assert wanted(rule, kind="payments")
    assert not wanted(rule, kind="payments/other")
    assert not wanted(rule, kind="fan_in")
    assert wanted(rule, confidence=600)
    assert not wanted(rule, confidence=601)
    assert wanted(rule, book="main")
    assert not wanted(rule, book="side")
    assert not wanted(rule, disabled="gone")
    assert not wanted(msgspec.structs.replace(rule, shadow=True)), (
        "what is being tried out is nobody's business"
    )


# --- all of it --------------------------------------------------------------------------------------------


def test_each_alert_arrives_signed_with_the_same_id_and_body(site: Site) -> None:
    alerts = Listed(*(alert(n) for n in range(20)))
    with Receiver() as one, Receiver() as two:
        site.add("one", one)
        secret = site.add("two", two, kind="nothing")
        with site.running(alerts):
            until(lambda: len(one.got) == 20)
            alerts.values.append(encode_alert(alert(99, kind="nothing")))
            until(lambda: len(two.got) == 1)
            until(lambda: site.store.state("one").waiting == 0)
    assert sorted(one.ids()[:20]) == [f"{n:032x}" for n in range(20)]
    for got in one.got:
        assert verified(got, site.secrets["one"])
        assert not verified(got, secret)
        payload = json.loads(got.body)
        assert payload["type"] == "alert.raised"
        assert payload["data"]["id"] == got.id
        assert base64.b64encode(encode_alert(msgspec.convert(payload["data"], Alert)))
    assert verified(two.got[0], secret)
    assert site.store.place(0) == 20


def test_what_fails_comes_again_under_the_same_id_until_it_arrives(site: Site) -> None:
    turns = [says(500), stalls, sends(b"HTTP/1.1 200"), says(204)]
    tried: Counter[str] = Counter()

    def behave(got: Got, link: socket.socket) -> None:
        tried[got.id] += 1
        turns[tried[got.id] - 1](got, link)

    with Receiver(behave) as receiver:
        site.add("one", receiver)
        with site.running(Listed(*(alert(n) for n in range(3))), Delivery(QUICK.backoff, timeout_s=0.3)):
            until(lambda: len(receiver.got) == 12 and site.store.state("one").waiting == 0)
    bodies: dict[str, set[bytes]] = {}
    for got in receiver.got:
        bodies.setdefault(got.id, set()).add(got.body)
        assert verified(got, site.secrets["one"])
    assert len(bodies) == 3
    assert all(len(same) == 1 for same in bodies.values())
    assert site.store.state("one").dead == 0


def test_what_never_arrives_is_a_dead_letter_and_can_be_sent_again(site: Site) -> None:
    with Receiver(says(500)) as receiver:
        site.add("one", receiver)
        with site.running(Listed(alert(1), alert(2))):
            until(lambda: site.store.state("one").dead == 2)
            letters = site.store.dead("one")
            assert [(one.message, one.attempts, one.why) for one in letters] == [
                (f"{n:032x}", QUICK.backoff.attempts, "status 500") for n in (1, 2)
            ]
            assert len(receiver.got) == 2 * QUICK.backoff.attempts
            receiver.behave = says(200)
            assert site.store.resend("one", f"{1:032x}") == 1
            until(lambda: site.store.state("one").dead == 1 and site.store.state("one").waiting == 0)
            assert site.store.resend("one") == 1
            until(lambda: site.store.state("one").dead == 0 and site.store.state("one").waiting == 0)
    assert [one.id for one in receiver.got[-2:]] == [f"{1:032x}", f"{2:032x}"]


def test_whatever_goes_wrong_in_an_attempt_is_counted_and_ends(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> Answer:
        raise OverflowError("what the receiver said")

    monkeypatch.setattr(delivering, "post", fails)
    with Receiver() as receiver:
        site.add("one", receiver)
        with site.running(Listed(alert(1))):
            until(lambda: site.store.state("one").dead == 1)
    (letter,) = site.store.dead("one")
    assert (letter.attempts, letter.why) == (QUICK.backoff.attempts, "OverflowError")


def test_one_that_is_gone_gets_nothing_more_and_loses_nothing(site: Site) -> None:
    alerts = Listed(*(alert(n) for n in range(5)))
    with Receiver(says(410)) as receiver:
        site.add("one", receiver)
        with site.running(alerts):
            until(lambda: bool((found := site.store.endpoint("one")) and found.disabled))
            until(lambda: site.store.place(0) == 4)
            time.sleep(3 * delivering.IDLE_S)
            assert len(receiver.got) == 1
            alerts.values.append(encode_alert(alert(9)))
            until(lambda: site.store.place(0) == 5)
            assert site.store.state("one").waiting == 4, "what is new is not kept for one that is gone"
            receiver.behave = says(200)
            assert site.store.resend("one") == 1
            until(lambda: site.store.state("one").waiting == site.store.state("one").dead == 0)
    assert sorted(set(receiver.ids())) == [f"{n:032x}" for n in range(5)]


def test_one_that_stalls_holds_up_no_other(site: Site) -> None:
    with Receiver(stalls) as slow, Receiver() as quick:
        site.add("slow", slow)
        site.add("quick", quick)
        with site.running(Listed(*(alert(n) for n in range(50))), Delivery(QUICK.backoff, timeout_s=1.5)):
            until(lambda: len(quick.got) == 50)
            assert len(slow.got) < 50
            assert site.store.state("slow").waiting == 50


def test_both_secrets_sign_while_one_is_replaced_and_only_the_new_one_after(site: Site) -> None:
    alerts = Listed(alert(1))
    with Receiver() as receiver:
        old = site.add("one", receiver)
        with site.running(alerts):
            until(lambda: len(receiver.got) == 1)
            new = make_secret()
            assert site.store.rotate("one", site.seal.seal(new, "one"), 60)
            alerts.values.append(encode_alert(alert(2)))
            until(lambda: len(receiver.got) == 2)
            newest = make_secret()
            assert site.store.rotate("one", site.seal.seal(newest, "one"), 0)
            alerts.values.append(encode_alert(alert(3)))
            until(lambda: len(receiver.got) == 3)
    first, during, after = receiver.got
    assert [verified(first, one) for one in (old, new, newest)] == [True, False, False]
    assert [verified(during, one) for one in (old, new, newest)] == [True, True, False]
    assert [verified(after, one) for one in (old, new, newest)] == [False, False, True]


def test_no_secret_and_no_token_is_logged_or_stored_in_clear(site: Site, capsys: Any, caplog: Any) -> None:
    with Receiver(says(500)) as receiver:
        secret = site.add("one", receiver)
        with site.running(Listed(alert(1))):
            until(lambda: site.store.state("one").dead == 1)
    said = "".join(capsys.readouterr()) + caplog.text
    assert "webhook_dead" in said
    stored = site.session.execute("SELECT string_agg(e::text, ' ') FROM webhooks.endpoints AS e").fetchone()
    assert stored is not None
    for text in (said, stored[0]):
        assert secret.removeprefix("whsec_") not in text
        assert key_of(secret).hex() not in text
    assert "t0ps3cret" not in said


def test_a_queue_moves_with_the_place_or_not_at_all(site: Site) -> None:
    with Receiver() as receiver:
        site.add("one", receiver)
    endpoints = site.store.endpoints()
    assert queue_new(site.store, Listed(*(alert(n) for n in range(3))), 0, endpoints) == 3
    assert (site.store.place(0), site.store.state("one").waiting) == (2, 3)
    assert not site.store.queue(0, 1, 5, [("one", "x", b"")]), "somebody else has moved on"
    assert not site.store.queue(0, -1, 5, [("one", "y", b"")])
    assert site.store.queue(0, 2, 3, [("gone", "z", b""), ("one", f"{0:032x}", b"again")])
    assert (site.store.place(0), site.store.state("one").waiting) == (3, 3)


def test_a_message_that_was_claimed_by_one_that_died_comes_again(site: Site) -> None:
    with Receiver() as receiver:
        site.add("one", receiver)
    queue_new(site.store, Listed(alert(1)), 0, site.store.endpoints())
    claimed = site.store.claim("one", 0.3)
    assert claimed is not None
    assert site.store.claim("one", 0.3) is None, "nobody else gets it meanwhile"
    until(lambda: site.store.claim("one", 30) is not None)


def test_two_processes_share_the_work_and_lose_nothing(site: Site) -> None:
    alerts = Listed(*(alert(n) for n in range(60)))
    with Receiver() as receiver:
        site.add("one", receiver)
        with site.running(alerts), site.running(alerts):
            until(lambda: site.store.place(0) == 59 and site.store.state("one").waiting == 0)
    assert sorted(set(receiver.ids())) == [f"{n:032x}" for n in range(60)]


@pytest.mark.long
def test_killed_anywhere_again_and_again_it_loses_nothing(site: Site, tmp_path: Path) -> None:
    """A process of its own delivers 400 alerts and is killed eight times, while the receiver fails now and
    then. What arrives more than once has the same id and body.
    """
    chance = random.Random(11)

    def behave(got: Got, link: socket.socket) -> None:
        time.sleep(0.02)
        says(500 if chance.random() < 0.2 else 204)(got, link)

    with Receiver(behave) as receiver:
        site.add("one", receiver)
        words = [
            sys.executable,
            "-m",
            "tests.webhooks_process",
            site.dsn,
            str(tmp_path / "webhooks.key"),
            "400",
        ]
        for _ in range(8):
            process = subprocess.Popen(words)
            receiver.came.clear()
            assert receiver.came.wait(PATIENCE_S)
            time.sleep(chance.random() / 2)
            process.kill()
            process.wait()
        assert site.store.state("one").waiting > 0, "it was killed in the middle of it"
        process = subprocess.Popen(words)
        try:
            until(lambda: site.store.place(0) == 399 and site.store.state("one").waiting == 0)
        finally:
            process.kill()
            process.wait()
    bodies: dict[str, set[bytes]] = {}
    for got in receiver.got:
        bodies.setdefault(got.id, set()).add(got.body)
    assert sorted(bodies) == [f"{n:032x}" for n in range(400)]
    assert all(len(same) == 1 for same in bodies.values())
    assert all(verified(got, site.secrets["one"]) for got in receiver.got)
    assert site.store.dead() == []


def test_an_endpoint_that_is_removed_takes_what_waits_with_it(site: Site) -> None:
    with Receiver(says(500)) as receiver:
        site.add("one", receiver)
        with site.running(Listed(alert(1)), Delivery(Backoff(first_s=60.0), timeout_s=1.0)):
            until(lambda: len(receiver.got) == 1)
            assert site.store.remove("one")
            assert not site.store.remove("one")
    assert site.store.dead() == []


def test_a_secret_that_cannot_be_read_posts_nothing(site: Site, tmp_path: Path) -> None:
    with Receiver() as receiver:
        site.add("one", receiver)
        endpoint = site.store.endpoint("one")
        assert endpoint is not None
        with pytest.raises(SecretsUnreadable):
            attempt(endpoint, Seal(tmp_path / "other"), "m", b"{}", 1.0, trusting())
    assert receiver.got == []


def test_what_became_of_an_attempt_is_settled_once(site: Site) -> None:
    with Receiver() as receiver:
        site.add("one", receiver)
    queue_new(site.store, Listed(alert(1)), 0, site.store.endpoints())
    one = site.store.claim("one", 30)
    assert one is not None
    assert settle(site.store, one, Answer(301), Backoff()) == "failed"
    again = msgspec.structs.replace(one, attempts=11)
    assert settle(site.store, again, Answer(404), Backoff()) == "dead"
    (letter,) = site.store.dead()
    assert letter.why == "status 404"
    assert settle(site.store, one, Answer(299), Backoff()) == "delivered"
    assert site.store.dead() == []


def test_a_body_is_the_same_bytes_every_time() -> None:
    value = encode_alert(alert(1_700_000_000_123))
    body = body_of("alert.raised", 1_700_000_000_123, value)
    assert body == body_of("alert.raised", 1_700_000_000_123, value)
    assert json.loads(body)["timestamp"] == "2023-11-14T22:13:20.123+00:00"
    assert value in body


@pytest.mark.long
def test_alerts_in_kafka_are_read_in_parts_and_again(kafka_bootstrap: str) -> None:
    kafka = made(kafka_bootstrap, 1)
    values = [encode_alert(alert(n)) for n in range(30)]
    with contextlib.closing(KafkaOutput(kafka, kafka.alerts, 0, "test")) as output:
        output.append([Out(b"main", value) for value in values[:20]], 0)
        output.append([Out(b"main", value) for value in values[20:]], 0)
    with KafkaReader(kafka, kafka.alerts, 0) as feed:
        alerts = console_webhooks.Alerts({0: feed})
        first = alerts.read(0, -1, 12)
        second = alerts.read(0, first[-1][0], 12)
        again = alerts.read(0, first[-1][0], 100)
        assert alerts.read(0, again[-1][0], 100) == []
    assert [value for _, value in first] == values[:12]
    assert [value for _, value in second] == values[12:24]
    assert [value for _, value in again] == values[12:]
