"""The bundled server: shared by processes that come, go and are killed, wherever the home is."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import psycopg
import pytest

from projections.bundled import BundledServer
from projections.database import DatabaseUnavailable, connect, open_database

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
HOLD = """
import sys
from pathlib import Path
from projections.database import open_database
with open_database(Path(sys.argv[1]), None) as database:
    print(database.dsn, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def shared_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="dbk", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def data(shared_folder: Path) -> Iterator[Path]:
    """A folder whose server is down, before and after; made once, since that is what takes long."""
    data = shared_folder / "postgres"
    yield data
    assert running(data) is None, "nobody uses it, so it does not run"


def running(data: Path) -> int | None:
    return BundledServer(data)._pid()


def holder(data: Path) -> subprocess.Popen[str]:
    """Another process that has the database open."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
    )
    assert child.stdout is not None
    assert "dbname" in child.stdout.readline()
    return child


def ended(child: subprocess.Popen[str]) -> int:
    child.communicate("")
    return child.returncode


def test_it_runs_while_somebody_uses_it_and_nobody_else_can_reach_it(data: Path) -> None:
    with open_database(data, None) as database:
        pid = running(data)
        assert pid is not None
        assert "PostgreSQL 18" in database.version()
        with connect(database.dsn) as session:
            session.execute("CREATE TABLE kept (x integer)")
            assert session.execute("SHOW listen_addresses").fetchone() == ("",)
        sockets = psutil.Process(pid).net_connections("inet")
        assert [one for one in sockets if one.status == psutil.CONN_LISTEN] == []
        socket = BundledServer(data)._socket_folder(None if os.geteuid() else owner(data))
        assert socket.stat().st_mode & 0o077 == 0
        assert (data / "cluster").stat().st_mode & 0o077 == 0
    assert running(data) is None
    with open_database(data, None) as database, connect(database.dsn) as session:
        session.execute("DROP TABLE kept")


def owner(data: Path) -> pwd.struct_passwd:
    return pwd.getpwuid((data / "cluster").stat().st_uid)


def test_a_process_that_ends_leaves_it_running_for_the_others(data: Path) -> None:
    up = holder(data)
    pid = running(data)
    with open_database(data, None) as database, connect(database.dsn):
        assert running(data) == pid
    assert running(data) == pid, "the other one still uses it"
    with open_database(data, None):
        assert ended(up) == 0
        assert running(data) == pid, "we still use it"


def test_a_process_that_was_killed_counts_no_more(data: Path) -> None:
    up = holder(data)
    pid = running(data)
    up.kill()
    up.communicate()
    assert running(data) == pid, "nobody was left to stop it"
    with open_database(data, None) as database, connect(database.dsn):
        assert running(data) == pid


def test_a_server_that_was_killed_is_started_again(data: Path) -> None:
    with open_database(data, None) as database:
        with connect(database.dsn) as session:
            session.execute("DROP TABLE IF EXISTS kept")
            session.execute("CREATE TABLE kept AS SELECT 7 AS x")
            pid = running(data)
            assert pid is not None
            psutil.Process(pid).kill()
            psutil.Process(pid).wait(10) if psutil.pid_exists(pid) else None
            with pytest.raises(psycopg.OperationalError):
                session.execute("SELECT 1")
        with open_database(data, None) as again, connect(again.dsn) as session:
            assert running(data) not in {pid, None}
            assert session.execute("SELECT x FROM kept").fetchone() == (7,)


def test_a_number_that_another_process_has_by_now_is_no_server(data: Path) -> None:
    with open_database(data, None):
        lines = (data / "cluster" / "postmaster.pid").read_text().splitlines()
    left = data / "cluster" / "postmaster.pid"
    left.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")
    shutil.chown(left, (data / "cluster").stat().st_uid)
    with open_database(data, None) as database, connect(database.dsn):
        assert running(data) not in {os.getppid(), None}


def test_many_at_once_come_and_go(data: Path) -> None:
    failures: list[BaseException] = []

    def come_and_go() -> None:
        try:
            for _ in range(4):
                with open_database(data, None) as database, connect(database.dsn) as session:
                    assert session.execute("SELECT 1").fetchone() == (1,)
        except BaseException as error:  # noqa: BLE001 - it is looked at by the thread that waits
            failures.append(error)

    threads = [threading.Thread(target=come_and_go) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_path_that_is_too_long_for_a_socket(tmp_path: Path) -> None:
    data = tmp_path / ("deep" * 20) / "with space's and ümlaut" / "postgres"
    with open_database(data, None) as database:
        with connect(database.dsn) as session:
            assert session.execute("SELECT 1").fetchone() == (1,)
        socket = Path(str(psycopg.conninfo.conninfo_to_dict(database.dsn)["host"]))
        assert len(str(socket)) < 100
        assert socket.stat().st_mode & 0o077 == 0
    assert running(data) is None
    assert not socket.exists()
    socket.mkdir(mode=0o755)  # somebody else was there first
    with pytest.raises(DatabaseUnavailable, match="not a private folder"), open_database(data, None):
        pass
    socket.rmdir()


def test_data_that_is_damaged_is_said_in_a_sentence(data: Path, tmp_path: Path) -> None:
    with open_database(data, None):
        pass
    copy = Path(tempfile.mkdtemp(prefix="dbk", dir="/tmp")) / "postgres"
    subprocess.run(["cp", "-a", str(data), str(copy)], check=True)
    (copy / "cluster" / "global" / "pg_control").write_bytes(b"")
    with pytest.raises(DatabaseUnavailable, match=r"does not start.*server\.log"), open_database(copy, None):
        pass
    shutil.rmtree(copy.parent)


def test_a_server_of_somebody_elses_is_used_as_it_is(postgres_dsn: str, tmp_path: Path) -> None:
    with open_database(tmp_path / "never", postgres_dsn) as database:
        assert database.dsn == postgres_dsn
    assert not (tmp_path / "never").exists()
    for wrong in ("postgresql:///nothing?host=/nowhere", "postgresql://x:secret@127.0.0.1:1/x"):
        with (
            pytest.raises(DatabaseUnavailable, match="cannot be reached") as error,
            open_database(tmp_path, wrong),
        ):
            pass
        assert "secret" not in str(error.value)


def test_what_an_interrupted_first_start_left_is_cleared(tmp_path: Path) -> None:
    data = Path(tempfile.mkdtemp(prefix="dbk", dir="/tmp")) / "postgres"
    (data / "cluster.0badf00d").mkdir(parents=True)
    (data / "cluster.0badf00d" / "PG_VERSION").write_text("18")
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data)],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    time.sleep(0.3)
    os.killpg(child.pid, signal.SIGKILL)  # with the programs that it runs, as a power cut would
    child.wait()
    with open_database(data, None) as database, connect(database.dsn) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)
    assert sorted(one.name for one in data.iterdir()) == ["changes.lock", "cluster", "users.lock"]
    shutil.rmtree(data.parent)
