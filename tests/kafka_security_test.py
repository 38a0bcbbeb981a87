"""A broker that asks who is there: SASL, mutual TLS, and what each role may do."""

from __future__ import annotations

import datetime
import ipaddress
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from confluent_kafka.admin._acl import AclBinding, AclBindingFilter, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engine.broker import Cluster
from engine.errors import LogUnavailable, LogUnwritable, OutcomeUnknown, WrongUse
from engine.log.kafka import KafkaCommands, KafkaLog
from engine.log.records import Out
from engine.log.rights import RIGHTS, Right, commands
from engine.log.topic_settings import create, ensure
from engine.log.topics import Kafka

pytestmark = pytest.mark.long

USERS = ("admin", "nobody", *RIGHTS)
PAGE = [Out(b"main", b"a")]


def login(user: str, password: str | None = None) -> dict[str, str]:
    return {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": user,
        "sasl.password": f"{user}-secret" if password is None else password,
    }


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A broker with SASL users and an authorizer that allows nothing by itself; seen as its administrator."""
    users = " ".join(f'user_{user}="{user}-secret"' for user in USERS)
    plain = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    options = {
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:SASL_PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "listener.name.plaintext.plain.sasl.jaas.config": (
            f'{plain} username="admin" password="admin-secret" {users};'
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:admin;User:ANONYMOUS",  # the controller's listener is on this machine only
    }
    with Cluster(tmp_path_factory.mktemp("sasl"), options=options) as cluster:
        kafka = Kafka(cluster.bootstrap, "bank", login("admin"))
        create(kafka, 1, 1)
        bindings = [binding(role, right) for role, rights in RIGHTS.items() for right in rights]
        admin = kafka.admin()
        for done in admin.create_acls([one for some in bindings for one in some]).values():
            done.result()
        deadline = time.monotonic() + 20
        while not allowed(
            seen_by(kafka, "auditor")
        ):  # the last of them; brokers hear of rights a moment later
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield kafka


def allowed(kafka: Kafka) -> bool:
    try:
        return kafka.partitions(kafka.events) == 1
    except LogUnavailable:
        return False


def binding(user: str, right: Right) -> list[AclBinding]:
    kinds = {
        "topic": ResourceType.TOPIC,
        "group": ResourceType.GROUP,
        "transactional-id": ResourceType.TRANSACTIONAL_ID,
    }
    operations = {
        "Read": AclOperation.READ,
        "Write": AclOperation.WRITE,
        "Describe": AclOperation.DESCRIBE,
        "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
    }
    pattern = ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL
    return [
        AclBinding(
            kinds[right.resource], f"bank{right.name}", pattern, f"User:{user}", "*", operations[one],
            AclPermissionType.ALLOW,
        )
        for one in right.operations
    ]  # fmt: skip


def seen_by(kafka: Kafka, user: str) -> Kafka:
    return Kafka(kafka.bootstrap, kafka.prefix, login(user))


def test_each_role_can_do_its_work(guarded: Kafka) -> None:
    assert KafkaCommands(seen_by(guarded, "sender")).submit(PAGE) == [0]
    ensure(seen_by(guarded, "engine"), 1)
    with KafkaLog(seen_by(guarded, "engine"), writer=True) as log:
        assert len(log.commands(-1, 10, 10.0)) == 1
        log.commit(PAGE, 0, 1)
        assert len(list(log.events(-1))) == 1
    for role in ("projector", "follower", "relay", "publisher", "detection", "auditor"):
        with KafkaLog(seen_by(guarded, role)) as log:
            assert [record.value for record in log.events(-1)] == [b"a"], role
    KafkaCommands(seen_by(guarded, "relay")).submit(PAGE)


@pytest.mark.parametrize("role", [role for role in USERS if role not in {"engine", "admin"}])
def test_nobody_but_an_engine_writes_events(guarded: Kafka, role: str) -> None:
    with pytest.raises(LogUnavailable, match="Who may do what in Kafka"):
        KafkaLog(seen_by(guarded, role), writer=True)
    plain = seen_by(guarded, role).producer(enable_idempotence=False)
    failed: list[str] = []
    plain.produce(
        guarded.events,
        b"forged",
        b"main",
        0,
        on_delivery=lambda error, _: failed.append(error.name() if error is not None else ""),
    )
    plain.flush(30)
    assert failed == ["TOPIC_AUTHORIZATION_FAILED"]


@pytest.mark.parametrize("role", ["nobody", "engine", "projector", "downstream", "auditor"])
def test_nobody_but_senders_writes_commands(guarded: Kafka, role: str) -> None:
    with pytest.raises((LogUnavailable, OutcomeUnknown)):
        KafkaCommands(seen_by(guarded, role)).submit(PAGE)


def test_downstream_reads_outcomes_and_no_events(guarded: Kafka) -> None:
    downstream = seen_by(guarded, "downstream")
    assert downstream.partitions(guarded.outcomes) == 1
    with pytest.raises(LogUnavailable, match="does not allow"):
        KafkaLog(downstream)


def commit_often(log: KafkaLog) -> None:
    """For a while: brokers hear of rights a moment after they were given."""
    for _ in range(200):
        log.commit(PAGE, -1, 1)


def test_rights_that_are_taken_away_stop_the_page_and_say_so(guarded: Kafka) -> None:
    admin = guarded.admin()
    extra = AclBinding(
        ResourceType.TOPIC, "bank.events", ResourcePatternType.LITERAL, "User:engine", "*",
        AclOperation.WRITE, AclPermissionType.DENY,
    )  # fmt: skip
    with KafkaLog(seen_by(guarded, "engine"), writer=True) as log:
        log.commit(PAGE, -1, 1)
        for done in admin.create_acls([extra]).values():
            done.result()
        try:
            with pytest.raises(LogUnwritable, match="Who may do what in Kafka"):
                commit_often(log)
        finally:
            taken = AclBindingFilter(
                extra.restype, extra.name, extra.resource_pattern_type, extra.principal, extra.host,
                extra.operation, extra.permission_type,
            )  # fmt: skip
            for gone in admin.delete_acls([taken]).values():
                gone.result()


@pytest.mark.parametrize("user", [("engine", "wrong"), ("mallory", "x")])
def test_a_broker_that_refuses_who_we_are_is_named_with_its_words(
    guarded: Kafka, user: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.log.topics.ANSWER_S", 3.0)
    with pytest.raises(LogUnavailable, match=r"(?i)authentication.*DAYBOOK_KAFKA_OPTIONS"):
        KafkaLog(Kafka(guarded.bootstrap, guarded.prefix, login(*user)), writer=True)


def test_settings_that_the_client_does_not_know_are_wrong_use() -> None:
    with pytest.raises(WrongUse, match="DAYBOOK_KAFKA_OPTIONS"):
        Kafka("127.0.0.1:1", "x", {"sasl.usrname": "x"}).producer()


def test_the_list_for_people_is_the_list() -> None:
    documented = Path("docs/operations.md").read_text()
    for role, rights in RIGHTS.items():
        for right in rights:
            name = f"`daybook{right.name}{'*' if right.prefixed else ''}`"
            row = f"| {role} | {right.resource} | {name} | {', '.join(right.operations)} |"
            assert row in documented, row
    assert commands("sender", "daybook", "b:1") == [
        (
            "kafka-acls.sh --bootstrap-server b:1 --command-config $ADMIN --add "
            "--allow-principal User:$USER --topic daybook.commands --operation Write --operation Describe"
        )
    ]


# --- mutual TLS -------------------------------------------------------------------------------------------


def signed(name: str, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None) -> tuple[
    x509.Certificate, ec.EllipticCurvePrivateKey
]:  # fmt: skip
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
    )
    return made.sign(key if issuer is None else issuer[1], hashes.SHA256()), key


def pem(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey | None = None) -> str:
    found = certificate.public_bytes(serialization.Encoding.PEM)
    if key is not None:
        found = (
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + found
        )
    return found.decode()


def test_mutual_tls_passes_through_and_a_stranger_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = signed("authority", None)
    files: Mapping[str, str] = {
        "ca.pem": pem(authority[0]),
        "broker.pem": pem(*signed("broker", authority)),
        "engine.pem": pem(*signed("engine", authority)),
        "stranger.pem": pem(*signed("stranger", signed("another authority", None))),
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    options = {
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:SSL",
        "inter.broker.listener.name": "PLAINTEXT",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(tmp_path / "broker.pem"),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(tmp_path / "ca.pem"),
        "ssl.client.auth": "required",
    }

    def tls(name: str) -> dict[str, str]:
        return {
            "security.protocol": "SSL",
            "ssl.ca.location": str(tmp_path / "ca.pem"),
            "ssl.certificate.location": str(tmp_path / name),
            "ssl.key.location": str(tmp_path / name),
        }

    with Cluster(tmp_path / "cluster", options=options) as cluster:
        kafka = Kafka(cluster.bootstrap, "bank", tls("engine.pem"))
        create(kafka, 1, 1)
        with KafkaLog(kafka, writer=True) as log:
            log.commit(PAGE, -1, 1)
            assert [record.value for record in log.events(-1)] == [b"a"]
        monkeypatch.setattr("engine.log.topics.ANSWER_S", 3.0)
        with pytest.raises(LogUnavailable, match=r"(?i)ssl|tls|certificate"):
            KafkaLog(Kafka(cluster.bootstrap, "bank", tls("stranger.pem")), writer=True)
