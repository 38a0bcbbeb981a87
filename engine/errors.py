"""The exceptions that people can meet, in one tree, each saying what happened and what to do about it.

Expected outcomes of commands are values (rejections), never exceptions. Bugs of our own are asserts.
What is here comes from the world: another process, a disk, a damaged file, a lost connection.
"""


class DaybookError(Exception):
    """What happened, in one sentence (`what`), and what to do about it (`advice`).

    Every class has its advice; an instance may bring a better one.
    """

    advice: str = "See the engine's log for what came before."
    status: int = 1
    """The exit status of a command line that ends with it: 1 a check failed, 2 wrong use, 4 unknown."""

    def __init__(self, what: str, advice: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        if advice is not None:
            self.advice = advice

    def __str__(self) -> str:
        return f"{self.what} {self.advice}"


class WrongUse(DaybookError):
    """What was asked for cannot be done as it was asked."""

    advice = "See --help."
    status = 2


# --- the log's one writer -----------------------------------------------------------------------------


class Fenced(DaybookError):
    """Another writer owns this log now. Nothing of the refused commit was stored."""

    advice = "This process must end; the other engine goes on. Start it again only to take over."


class Uncertain(DaybookError):
    """A commit may or may not have happened."""

    advice = "Start the engine again, which recovers from the log; clients send again with the same ids."
    status = 4


class LogUnwritable(Uncertain):
    """The log could not be written (disk full, read-only, I/O error); at most whole pages are stored.

    It is an `Uncertain` because the engine must do the same: drop the state, open again, recover.
    """

    advice = "Make room or repair the disk, then start the engine again; clients repeat by id."


class LogLocked(DaybookError):
    """Another engine has this log open for writing. `pid` is its process, None where it is not known."""

    advice = "Stop that engine first, or talk to it over its socket."
    status = 2

    def __init__(self, what: str, advice: str | None = None, *, pid: int | None = None) -> None:
        super().__init__(what, advice)
        self.pid = pid


class LogCorrupt(DaybookError):
    """A stored page is damaged or missing. `page` is its number, None where the whole file is unreadable."""

    advice = "Stop the engine, keep the file as it is, and restore the log from a backup; then run verify."

    def __init__(self, what: str, advice: str | None = None, *, page: int | None = None) -> None:
        super().__init__(what, advice)
        self.page = page


class WrongLog(DaybookError):
    """The file or database is not a Daybook log, is of another partition, or of a newer release."""

    advice = "Check the path or the DSN and the partition number."
    status = 2


class NotInitialised(DaybookError):
    """There is no log here yet."""

    advice = "Run `daybook init` first, or check the path."
    status = 2


class LogUnavailable(DaybookError):
    """The log could not be opened or read just now (no permission, database down); nothing was changed."""

    advice = "Check that the file or the database server can be reached, then try again."


# --- sending commands ---------------------------------------------------------------------------------


class Busy(DaybookError):
    """The queue of waiting commands stayed full; none of these commands was taken."""

    advice = "Wait and send them again with the same ids."


class EngineStopped(DaybookError):
    """The engine is stopping or has stopped; none of these commands was taken."""

    advice = "Send them again with the same ids when the engine is running."


class EngineUnreachable(DaybookError):
    """No engine listens on the socket; none of these commands was taken."""

    advice = "Start it with `daybook up`, then send again."


class OutcomeUnknown(DaybookError):
    """The commands were sent but no outcome came back: they may or may not have been decided."""

    advice = "Send them again with the same ids: what was decided is answered again, never done twice."
    status = 4


class BadFrame(DaybookError):
    """What came over the socket is not the engine's protocol."""

    advice = "Use the client of the same release as the engine."
