"""compose.yaml as a machine reads it, without a container engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.terminal import ROOT

COMPOSE = Path(ROOT, "compose.yaml")
_VARIABLE = re.compile(r"\$\{(\w+)(?::(-|\?)([^}]*))?\}")


class MissingVariable(Exception):
    """The file asks for a variable that has no default."""


def composed(variables: Mapping[str, str]) -> dict[str, Any]:
    """The file with its variables filled in, as the Compose Specification says."""

    def fill(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if variables.get(name):
            return variables[name]
        if kind == "-":
            return str(rest)
        raise MissingVariable(name)

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: filled(one) for name, one in value.items()}
        if isinstance(value, list):
            return [filled(one) for one in value]
        return _VARIABLE.sub(fill, value) if isinstance(value, str) else value

    found: dict[str, Any] = filled(yaml.safe_load(COMPOSE.read_text()))
    return found


SECRETS = ("KAFKA_CLUSTER_ID", "POSTGRES_PASSWORD", "GRAFANA_PASSWORD")
"""The variables that have no default."""


def ours(variables: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The services that run our image."""
    services = composed(variables)["services"]
    return {name: one for name, one in services.items() if one["image"].startswith("daybook")}
