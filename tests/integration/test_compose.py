"""docker-compose.yml, as the real ``docker compose config`` reads it (no engine needed)."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import compose
import pytest

ROOT = Path(__file__).parents[2]
PASSWORD = "OPENSEARCH_INITIAL_ADMIN_PASSWORD"


def config(**environ: str) -> subprocess.CompletedProcess[str]:
    # the wrapper that the package installs drops the exit code: call the program itself
    program = Path(compose.__file__).parent / "docker-compose"
    return subprocess.run(
        [program, "-f", ROOT / "docker-compose.yml", "config", "--format", "json"],
        # an empty folder keeps a developer's own .env out
        env={"PATH": os.defpath, "COMPOSE_DISABLE_ENV_FILE": "1", **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture(scope="module")
def service() -> dict[str, Any]:
    answer = config(**{PASSWORD: "Tr1cky-$pass"})
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)["services"]["opensearch"]
    return found


@pytest.mark.parametrize("environ", [{}, {PASSWORD: ""}], ids=["unset", "empty"])
def test_there_is_no_default_password(environ: dict[str, str]) -> None:
    answer = config(**environ)
    assert answer.returncode != 0
    assert PASSWORD in answer.stderr


def test_the_password_comes_from_the_environment(service: dict[str, Any]) -> None:
    # compose writes a dollar sign as two
    assert service["environment"][PASSWORD] == "Tr1cky-$$pass"


def test_security_stays_on(service: dict[str, Any]) -> None:
    assert service["image"].startswith("opensearchproject/opensearch:3.")
    assert not any("security" in name.lower() for name in service["environment"])


def test_settings_that_the_code_expects(service: dict[str, Any]) -> None:
    environment = service["environment"]
    assert environment["discovery.type"] == "single-node"
    assert environment["bootstrap.memory_lock"] == "true"
    assert environment["OPENSEARCH_JAVA_OPTS"] == "-Xms1g -Xmx1g"
    assert service["ulimits"]["memlock"] == {"soft": -1, "hard": -1}


def test_heap_and_port_can_be_chosen() -> None:
    answer = config(**{PASSWORD: "x", "SEEALSO_HEAP": "4g", "SEEALSO_PORT": "9999"})
    service = json.loads(answer.stdout)["services"]["opensearch"]
    assert service["environment"]["OPENSEARCH_JAVA_OPTS"] == "-Xms4g -Xmx4g"
    assert service["ports"][0]["published"] == "9999"


def test_health_check_does_not_carry_the_password(service: dict[str, Any]) -> None:
    command = " ".join(service["healthcheck"]["test"])
    assert "/_cluster/health" in command
    assert f"$${PASSWORD}" in command
    assert "Tr1cky" not in command


def test_only_this_machine_can_connect(service: dict[str, Any]) -> None:
    assert [port["host_ip"] for port in service["ports"]] == ["127.0.0.1"]


def test_data_outlives_the_container(service: dict[str, Any]) -> None:
    (volume,) = service["volumes"]
    assert volume["type"] == "volume"
    assert volume["target"] == "/usr/share/opensearch/data"
