"""The keys that prove an actor, as the home has them now: what was made or withdrawn counts at once."""

from __future__ import annotations

from engine.admission import Admission
from engine.home import Home


class LiveKeys:
    """For one thread. Reading again costs a look at the file's time of change."""

    def __init__(self, home: Home) -> None:
        """Raises NoHome where the keyring cannot be read."""
        self._home = home
        self._seen = self._now()
        self._admission = Admission(home.keyring())

    def admission(self) -> Admission:
        """The admission by the keyring as it is. Raises NoHome where it was damaged since."""
        now = self._now()
        # A file that is being replaced is looked at the next time.
        if now is not None and now != self._seen:
            self._seen = now
            self._admission = Admission(self._home.keyring())
        return self._admission

    def _now(self) -> tuple[int, int] | None:
        try:
            found = self._home.keyring_file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino
