"""How the command line ends: whatever went wrong is one sentence and an exit status, never a traceback.

Exit status: 0 done, 1 a check failed, 2 wrong use, 3 done but some commands were rejected, 4 outcome unknown;
130 after Ctrl-C, 141 where nobody reads standard output any more, both as shells know them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from console.start import output_to
from engine.errors import DaybookError

DONE, CHECK_FAILED, WRONG_USE, SOME_REJECTED, UNKNOWN = range(5)


def run(work: Callable[[], object], *, json: bool) -> int:
    """Do the work; returns the exit status. The work may also end with SystemExit."""
    try:
        work()
    except DaybookError as error:
        if not _operator_told(error):
            _fail(str(error), json)
        return error.status
    except OSError as error:
        if _wants_traceback():
            raise
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"The system refused: {where}{error.strerror or error}. Make it possible, and try again.", json)
        return CHECK_FAILED
    except Exception as error:
        if _wants_traceback():
            raise
        _fail(
            f"This is a bug in Daybook: {type(error).__name__}: {error}. DAYBOOK_DEBUG=1 shows where.", json
        )
        return CHECK_FAILED
    return DONE


def _operator_told(error: DaybookError) -> bool:
    """Whether this is a process of `daybook run`, whose words go to a log and not to a person."""
    operating = sys.modules.get("engine.operating")
    if operating is None or operating.metrics() is None:
        return False
    operating.logger.logger.error(
        "process_failed", error=type(error).__name__, what=error.what, advice=error.advice
    )
    return True


def _fail(text: str, json: bool) -> None:
    output_to(json).fail(text)


def _wants_traceback() -> bool:
    return os.environ.get("DAYBOOK_DEBUG", "").lower() in {"1", "true", "yes", "on"}
