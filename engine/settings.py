"""The settings: everything that a deployment may choose, from environment variables `DAYBOOK_*`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from engine.errors import WrongUse

GroupProtocol = Literal["auto", "classic", "consumer"]
_POSTGRES = r"^(postgres(ql)?://|\w+ *=)"
"""A URL, or libpq's `key=value` form."""


LogFormat = Literal["json", "text"]


class Settings(BaseSettings):
    """home: folder of the state; without it the nearest `.daybook` upwards is taken.
    log_url: `postgresql://...` keeps the log in that PostgreSQL instead of a file in the home.
    database_url: PostgreSQL of the read models; without it the bundled server, with its data in the home.
    kafka_bootstrap: `host:port,...` of the Kafka cluster that a home with its log in Kafka uses.
    kafka_options: librdkafka's settings for security, as JSON: `{"security.protocol": "SASL_SSL", ...}`;
        what exactly once rests on is refused.
    topic_prefix: what the names of the site's topics begin with.
    transaction_ms: how long the brokers let a transaction of a writer that went silent stand in the way of
        those who read, in milliseconds.
    group_session_ms: after how long of silence another process takes over what a dead one had in Kafka.
    group_protocol: `classic` or `consumer` (KIP-848) for the groups that share partitions; `auto` takes the
        latter where the brokers have it and allow the session time.
    snapshots: where snapshots are kept, a path or URL (`s3://bucket/x`); without it in the home.
    warm: the partitions, `all` or such as `0,3`, that an engine on Kafka keeps folded while they are
        another's, so that it takes them over in seconds; it costs their memory and about 0.4 of a decision.
    watchdog_s: after how long without progress of one of its partitions an engine on Kafka ends itself.
    archive: where `daybook archive` keeps old ranges of a log in Kafka, and replay finds them: a path or URL.
    attachments: where attachments of cases are kept, encrypted: a path or URL; without it in the home.
    actor: the user that the command line acts as; without it the home's first administrator.
    debug: show tracebacks.
    log_format: `json` or `text`, what processes say of themselves on standard error; without it text on a
        terminal and JSON elsewhere.
    metrics_port: where a process serves its metrics to Prometheus; without it nowhere. The processes of
        `daybook up` take this one and those behind it: docs/operations.md says which.
    metrics_host: the address that it listens on, this machine's own unless told otherwise.
    backlog_s: the age of the oldest undecided command, in seconds, from which a book of wall time answers
        `busy` to all but urgent commands.
    backlog_commands: the same, by how many commands wait in its partition.
    stream_port: where a stream worker serves the views of its tables over HTTP; without it nowhere.
    stream_host: the address that it listens on, this machine's own unless told otherwise.
    stream_watching: what triage and the stream workers look for over all books, as JSON, such as
        `{"many_payers": 12, "window_ms": 86400000}`; 0 looks for it no more. See detection/watching.py. It
        has to be the same for all of them.
    webhooks_ca: a file of certificates, in PEM, to trust where alerts are posted to; without it those that
        the machine trusts.
    simulated_rail: `RAIL=SYSTEM` has `daybook up` run a rail that is only simulated, to try things out: it
        answers for the rail RAIL as its adapter SYSTEM.
    simulated_rail_conduct: how it behaves, as JSON, such as `{"most_ms": 5000, "fails": 100}`; see
        gateway/simulated_rail.py.
    """

    model_config = SettingsConfigDict(env_prefix="DAYBOOK_", extra="ignore")

    home: Path | None = None
    log_url: str | None = Field(default=None, pattern=_POSTGRES)
    database_url: str | None = Field(default=None, pattern=_POSTGRES)
    kafka_bootstrap: str | None = Field(default=None, pattern=r"^[^\s,:]+(:\d+)?(,[^\s,]+)*$")
    kafka_options: dict[str, str] = {}
    topic_prefix: str = Field(default="daybook", pattern=r"^[A-Za-z0-9._-]{1,64}$")
    transaction_ms: int = Field(default=15_000, ge=1_000, le=900_000)
    group_session_ms: int = Field(default=10_000, ge=1_000, le=600_000)
    group_protocol: GroupProtocol = "auto"
    snapshots: str | None = Field(default=None, min_length=1)
    warm: str = Field(default="", pattern=r"^(all|(\d+(,\d+)*)?)$")
    watchdog_s: float = Field(default=60.0, ge=1.0)
    archive: str | None = Field(default=None, min_length=1)
    attachments: str | None = Field(default=None, min_length=1)
    webhooks_ca: str | None = Field(default=None, min_length=1)
    actor: str | None = Field(default=None, min_length=1, max_length=64)
    debug: bool = False
    log_format: LogFormat | None = None
    metrics_port: int | None = Field(default=None, ge=1, le=65_535)
    metrics_host: str = Field(default="127.0.0.1", min_length=1)
    backlog_s: float = Field(default=120.0, ge=1.0)
    backlog_commands: int = Field(default=1_000_000, ge=1_000)
    stream_port: int | None = Field(default=None, ge=1, le=65_535)
    stream_host: str = Field(default="127.0.0.1", min_length=1)
    stream_watching: dict[str, int] = {}
    simulated_rail: str | None = Field(default=None, pattern=r"^[^\s=]{1,64}=[^\s=]{1,64}$")
    simulated_rail_conduct: dict[str, int] = {}

    def warm_partitions(self) -> frozenset[int] | None:
        """What `warm` names; None where it is all of them."""
        return None if self.warm == "all" else frozenset(map(int, filter(None, self.warm.split(","))))


def read_settings() -> Settings:
    """The settings as they are now. Raises WrongUse, which names every one that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"DAYBOOK_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in error.errors()
        )
        raise WrongUse(f"A setting is wrong: {problems}.", "docs/reference.md lists them.") from None
    except SettingsError as error:  # one that is to be JSON and is none: named as the field, in quotes
        name = next(iter(str(error).split('"')[1:2]), "").upper()
        raise WrongUse(
            f"A setting is wrong: DAYBOOK_{name} is no JSON.", "docs/reference.md lists them."
        ) from None
