"""The one logger: what a process says to those who operate it, a JSON object or a line of text at a time.

It speaks of processes, partitions, places in the log and what failed, never of people, money or secrets: only
the fields in FIELDS come through, and what the settings keep secret is struck out wherever it stands. Nothing
may be said once a command (DESIGN 12); what is counted is counted in `engine/metrics.py`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from engine.settings import LogFormat, Settings

FIELDS: Final = frozenset(
    {
        "time",
        "level",
        "event",
        "process",
        "book",
        "partition",
        "seq",
        "offset",
        "epoch",
        "client",
        "member",
        "seconds",
        "count",
        "bytes",
        "port",
        "status",
        "what",
        "advice",
        "error",
        "source",
        "exception",
    }
)
"""What a line may have. `event` is a name that searches can rely on; `what` is a sentence.

client: a client's name, as librdkafka tells it.   member: of a consumer group.   source: the library that
speaks, where it is not us.   exception: a traceback.
"""
STRUCK: Final = "***"

_SECRET_OPTIONS: Final = ("password", "secret", ".pem", "jaas", "token", "sasl.oauthbearer.config")
_SHORTEST_SECRET: Final = 4

logger: Final[structlog.stdlib.BoundLogger] = structlog.get_logger("daybook")
"""`logger.info("partition_assigned", partition=3)`; a thread binds what it knows."""


def start(
    process: str, form: LogFormat | None = None, *, secrets: Iterable[str] = (), to: TextIO | None = None
) -> None:
    """Have this process's lines, and those of its libraries, come out on standard error.

    form: where none is given, text on a terminal and JSON elsewhere.   secrets: struck out of every line.
    """
    stream = sys.stderr if to is None else to
    if form is None:
        form = "text" if stream.isatty() else "json"
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.format_exc_info,
        _Of(process),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_source, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _Struck(secrets),
                structlog.processors.JSONRenderer()
                if form == "json"
                else structlog.dev.ConsoleRenderer(
                    colors=stream.isatty(), timestamp_key="time", pad_level=False, sort_keys=False
                ),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("daybook").setLevel(logging.INFO)


def secrets_of(settings: Settings) -> list[str]:
    """What must never be seen: passwords in URLs, and the options of Kafka's clients that hold one."""
    found = [
        value
        for name, value in settings.kafka_options.items()
        if any(part in name.lower() for part in _SECRET_OPTIONS)
    ]
    for url in (settings.log_url, settings.database_url):
        found += _passwords(url or "")
    return found


def _passwords(url: str) -> list[str]:
    _, _, rest = url.partition("://")
    user, at, _ = rest.rpartition("@")
    found = [user.partition(":")[2]] if at and ":" in user else []
    for part in url.replace("?", " ").replace("&", " ").split():
        name, _, value = part.partition("=")
        if name.endswith("password"):
            found.append(value.strip("'"))
    return found


class _Of:
    """Says which process speaks."""

    def __init__(self, process: str) -> None:
        self._process = process

    def __call__(self, _: WrappedLogger, __: str, said: EventDict) -> EventDict:
        said.setdefault("process", self._process)
        return said


def _source(_: WrappedLogger, __: str, said: EventDict) -> EventDict:
    """A library's line: its words are not a name of ours."""
    record: logging.LogRecord = said["_record"]
    said["what"] = said.pop("event")
    said["event"] = "library_said"
    said["source"] = record.name
    return said


class _Struck:
    """Lets through what a line may have, and strikes out secrets, also where a library's words hold them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # Longer ones first, so that none is left half by one that it contains.
        self._secrets = sorted({s for s in secrets if len(s) >= _SHORTEST_SECRET}, key=len, reverse=True)

    def __call__(self, _: WrappedLogger, __: str, said: MutableMapping[str, Any]) -> EventDict:
        return {name: self._clean(value) for name, value in said.items() if name in FIELDS}

    def _clean(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        for secret in self._secrets:
            value = value.replace(secret, STRUCK)
        return value
