"""The home: the folder of a site, with its log, keys, snapshots, receipts and bundled database."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import quote

import msgspec

from engine.errors import WrongUse
from engine.files import write_whole
from engine.proof import Key, Keyring, new_key
from engine.receipts import make_signing_key
from engine.settings import Settings

NAME = ".daybook"
LOCAL_KEY = "local"
"""The key that the home's own command line signs with. Who can read it owns the home."""
SYSTEMS = ("relay", "triage")
"""The systems that run as processes of the home. Each has a key of its own, of the same name."""


class NoHome(WrongUse):
    """There is no home where one is needed, or the folder is not one."""

    advice = "Run `daybook init` first, or set DAYBOOK_HOME."


class HomeInUse(WrongUse):
    """The folder holds something that must not be overwritten."""

    advice = "Choose another folder with DAYBOOK_HOME."


class HomeFile(msgspec.Struct, forbid_unknown_fields=True):
    """What `home.json` says. user: the first administrator.   demo: whether a demo may make the home anew.

    log: where the log is kept; `postgres` without a DAYBOOK_LOG_URL is the bundled server;
        `kafka` is the cluster at DAYBOOK_KAFKA_BOOTSTRAP.
    partitions: how many its topics have, where the log is in Kafka; 0 where that is not recorded.
    """

    version: Literal[1]
    user: str
    demo: bool = False
    log: Literal["sqlite", "postgres", "kafka"] = "sqlite"
    partitions: int = 0


class Home:
    """Paths and keys of one home."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.file = root / "home.json"
        self.log = root / "daybook.sqlite"
        self.alerts = root / "alerts.sqlite"
        self.socket = root / "engine.sock"
        self.postgres = root / "postgres"
        self.snapshots = root / "snapshots"
        self.receipts = root / "receipts"
        self.attachments = root / "attachments"
        self.keys = root / "keys"
        self.keyring_file = self.keys / "keyring.json"
        self.credentials_file = self.keys / "credentials.json"
        self.handovers = root / "handover"
        self.signing_key = self.keys / "signing.pem"

    def __str__(self) -> str:
        return str(self.root)

    def exists(self) -> bool:
        """Whether `daybook init` has been here."""
        return self.file.is_file()

    def read(self) -> HomeFile:
        """The home's own file. Raises NoHome where it is missing or not ours."""
        try:
            return msgspec.json.decode(self.file.read_bytes(), type=HomeFile)
        except (FileNotFoundError, NotADirectoryError):
            raise NoHome(f"{self.root} is not a Daybook home.") from None
        except OSError as error:
            raise NoHome(f"{self.file} cannot be read: {error.strerror}.", "Give leave to read it.") from None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise NoHome(f"{self.file} is damaged: {error}.", "Restore it from a backup.") from None

    def create(self, file: HomeFile) -> None:
        """Make the folder and keys, for the owner only; then `home.json`, which says that all is there."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)
        for folder in (self.snapshots, self.receipts, self.keys):
            folder.mkdir(exist_ok=True, mode=0o700)
        if not self.keyring_file.exists():
            keys = {LOCAL_KEY: new_key(owner=file.user), **{name: new_key(name) for name in SYSTEMS}}
            self.write_keyring(Keyring(keys))
        if not self.signing_key.exists():
            make_signing_key(self.signing_key)
        write_whole(self.file, msgspec.json.encode(file))

    def record_partitions(self, count: int) -> None:
        """Note how many partitions the home's topics were made with, once: another count is another site."""
        file = self.read()
        if not file.partitions:
            write_whole(self.file, msgspec.json.encode(msgspec.structs.replace(file, partitions=count)))

    def handover(self, user: str) -> Path:
        """The file in which a credential waits for its person to take it away."""
        return self.handovers / quote(user, safe="")

    def keyring(self) -> Keyring:
        """The keys that the engine honours."""
        try:
            found = msgspec.json.decode(self.keyring_file.read_bytes(), type=dict[str, Key])
        except FileNotFoundError:
            raise NoHome(f"{self.keyring_file} is missing.", "Restore it from a backup.") from None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise NoHome(f"{self.keyring_file} is damaged: {error}.", "Restore it from a backup.") from None
        return Keyring(found)

    def add_missing_keys(self, *others: str) -> list[str]:
        """Give the home's systems, and others, the keys that it was made without; returns whose were added.

        An engine that runs has read the keys before, so this is for before it starts.
        """
        keys = self.keyring().keys
        missing = [name for name in (*SYSTEMS, *others) if name not in keys]
        if missing:
            self.write_keyring(Keyring({**keys, **{name: new_key(name) for name in missing}}))
        return missing

    def write_keyring(self, keyring: Keyring) -> None:
        """Replace the keys that the engine honours."""
        write_whole(self.keyring_file, msgspec.json.encode(keyring.keys))


def find_home(settings: Settings, start: Path | None = None) -> Home:
    """The home that the settings name, or the nearest `.daybook` upwards from `start`. Raises NoHome."""
    if settings.home is not None:
        home = Home(settings.home)
        home.read()
        return home
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        home = Home(folder / NAME)
        if home.exists():
            return home
    raise NoHome(f"There is no {NAME} in {here} or above it.")
