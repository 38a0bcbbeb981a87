"""The demo on Kafka ends with the digest of the embedded run: the log is another, the bank is the same."""

from pathlib import Path

import pytest

from tests.kafka_servers import unused_prefix
from tests.terminal import Terminal


def digests(folder: Path, bootstrap: str, dsn: str, *words: str) -> tuple[str, str]:
    """Of the run on Kafka, and of the one in memory."""
    terminal = Terminal(folder, DAYBOOK_KAFKA_BOOTSTRAP=bootstrap, DAYBOOK_DATABASE_URL=dsn)
    found = []
    for log in ("kafka", "memory"):
        last = terminal.ok("demo", "--json", "--log", log, *words).last
        assert last["ok"]
        found.append(last["digest"])
    return found[0], found[1]


def test_a_small_demo_has_the_digest_of_the_embedded_run(
    kafka_bootstrap: str, tmp_path: Path, postgres_dsn: str
) -> None:
    on_kafka, embedded = digests(tmp_path, kafka_bootstrap, postgres_dsn, "--parties", "10", "--days", "2")
    assert on_kafka == embedded


@pytest.mark.long
@pytest.mark.parametrize("seed", ["1", "2"])
def test_a_month_has_the_digest_of_the_embedded_run(
    seed: str, kafka_bootstrap: str, tmp_path: Path, postgres_dsn: str
) -> None:
    on_kafka, embedded = digests(tmp_path, kafka_bootstrap, postgres_dsn, "--seed", seed, "--parties", "300")
    assert on_kafka == embedded


@pytest.mark.long
def test_without_a_cluster_it_brings_its_own_and_leaves_nothing(tmp_path: Path, postgres_dsn: str) -> None:
    terminal = Terminal(tmp_path, TMPDIR=str(tmp_path), DAYBOOK_DATABASE_URL=postgres_dsn)
    done = terminal.ok("demo", "--log", "kafka", "--parties", "10", "--days", "2")
    assert "Starting a Kafka broker" in done.out
    assert "The broker that the demo had started has ended" in done.out
    assert [one.name for one in tmp_path.iterdir()] == [".daybook-demo"]


@pytest.mark.long
def test_a_home_on_another_cluster_is_said_how_to_be_found_again(
    kafka_bootstrap: str, tmp_path: Path, postgres_dsn: str
) -> None:
    terminal = Terminal(tmp_path, DAYBOOK_KAFKA_BOOTSTRAP=kafka_bootstrap, DAYBOOK_DATABASE_URL=postgres_dsn)
    said = terminal.ok("demo", "--log", "kafka", "--parties", "10", "--days", "2").out
    exports = dict(
        line.removeprefix("export ").split("=", 1) for line in said.splitlines() if "export " in line
    )
    terminal.env |= exports
    whole = terminal.ok("replay", "verify", "--json").last
    assert whole["ok"]
    assert f"Digest {whole['digest']}" in said
    assert terminal.ok("replay", "redecide", "--json").last["digest"] == whole["digest"]
    terminal.ok("replay", "receipt", "--out", "receipt.json")
    assert terminal.ok("replay", "verify", "--against", "receipt.json", "--json").last["receipts"] == 4
    assert terminal.ok("replay", "rebuild", "--json").last["ok"]
    assert terminal.ok("events", "--book", "a-day", "--json").lines[0]["type"] == "BookOpened"
    assert terminal.ok("replay", "as-of", "--book", "demo", "--seq", "5", "--json").last["seq"] == 5
    assert terminal.ok("access", "--book", "a-day", "--json").lines


@pytest.mark.long
def test_an_import_makes_its_home_on_kafka_and_ends_as_in_memory(
    kafka_bootstrap: str, tmp_path: Path, postgres_dsn: str
) -> None:
    place = {"DAYBOOK_KAFKA_BOOTSTRAP": kafka_bootstrap, "DAYBOOK_TOPIC_PREFIX": unused_prefix()}
    terminal = Terminal(tmp_path, DAYBOOK_DATABASE_URL=postgres_dsn, **place)
    (tmp_path / "rows.csv").write_text("from,to,amount,day\na,b,1.00,1\nb,c,0.40,1\nc,a,9.00,2\n")
    (tmp_path / "accounts.csv").write_text("id,opening\na,5\nb,0\nc,0\n")
    (tmp_path / "rows.yaml").write_text(
        "book: {id: rows, name: Rows, currency: EUR}\n"
        "columns: {debit: from, credit: to, amount: amount, time: day}\n"
        "time: {format: steps, start: 2026-01-01}\n"
        "accounts: {file: accounts.csv, columns: {account: id, opening_balance: opening}}\n"
        "ids: {party: party-}\n"
    )
    words = ("import", "rows.csv", "--mapping", "rows.yaml", "--json", "--log")
    embedded = terminal.run(*words, "memory").last
    on_kafka = terminal.run(*words, "kafka").last
    assert on_kafka["digest"] == embedded["digest"]
    assert on_kafka["by_reason"] == {"insufficient_funds": 1}
    assert terminal.ok("account", "b", "--json").last["booked"] == 60
