"""docker-compose.yml, as the real ``docker compose config`` reads it (no engine needed)."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import compose
import pytest

from release.dockerfile import Stage, read_stages
from seealso.config import load_settings
from seealso.plugin.service.server import GRACE_SECONDS

ROOT = Path(__file__).parents[2]
PASSWORD = "OPENSEARCH_INITIAL_ADMIN_PASSWORD"
KEYS = "SEEALSO_SERVICE__KEYS"
OWN = ("seealso", "nightly")


def config(*options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    # the wrapper that the package installs drops the exit code: call the program itself
    program = Path(compose.__file__).parent / "docker-compose"
    return subprocess.run(
        [program, "-f", ROOT / "docker-compose.yml", *options, "config", "--format", "json"],
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


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    """Every service, with a key for callers and none for users."""
    answer = config("--profile", "seealso", **{PASSWORD: "word", KEYS: "[]"})
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
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


def test_alone_it_is_opensearch_that_starts() -> None:
    answer = config(**{PASSWORD: "x"})
    assert list(json.loads(answer.stdout)["services"]) == ["opensearch"]


def test_the_service_waits_for_an_index_and_the_build_for_the_cluster(
    whole: dict[str, Any],
) -> None:
    services = whole["services"]
    assert services["seealso"]["depends_on"]["nightly"]["condition"] == "service_healthy"
    assert services["nightly"]["depends_on"]["opensearch"]["condition"] == "service_healthy"
    # the file that the script makes once there is an index
    health = services["nightly"]["healthcheck"]["test"]
    assert Path(health[-1]).name in (ROOT / "deploy" / "nightly.sh").read_text()
    assert services["nightly"]["entrypoint"] == ["seealso-nightly"]


@pytest.mark.parametrize("name", OWN)
def test_only_bundles_and_scratch_can_be_written(whole: dict[str, Any], name: str) -> None:
    service = whole["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["tmpfs"] == ["/tmp"]
    written = [one["target"] for one in service["volumes"] if not one.get("read_only")]
    assert written == ([] if name == "seealso" else list(image().last("VOLUME")))
    assert "bundles" in whole["volumes"]


@pytest.mark.parametrize("name", OWN)
def test_the_cluster_is_asked_over_tls(whole: dict[str, Any], name: str) -> None:
    environment = whole["services"][name]["environment"]
    names = ("url", "ca_file", "username")
    chosen = {one: environment[f"SEEALSO_CLUSTER__{one.upper()}"] for one in names}
    settings = load_settings(None, {"cluster": chosen})
    host = urlsplit(str(settings.cluster.url)).hostname
    assert host in whole["services"]["opensearch"]["networks"]["default"]["aliases"]
    assert environment["SEEALSO_PASSWORD"] == "word"
    folder = image().last("WORKDIR")[0]
    assert str(settings.cluster.ca_file).startswith(folder)
    assert folder in [one["target"] for one in whole["services"][name]["volumes"]]


def test_secrets_that_are_not_set_are_not_empty_ones(whole: dict[str, Any]) -> None:
    environment = whole["services"]["seealso"]["environment"]
    assert environment[KEYS] == "[]"
    assert environment["SEEALSO_USERS_KEY"] is None


def test_an_account_of_its_own_can_be_chosen() -> None:
    chosen = {"SEEALSO_USERNAME": "shop", "SEEALSO_PASSWORD": "own"}
    answer = config("--profile", "seealso", **{PASSWORD: "word"}, **chosen)
    environment = json.loads(answer.stdout)["services"]["nightly"]["environment"]
    assert environment["SEEALSO_CLUSTER__USERNAME"] == "shop"
    assert environment["SEEALSO_PASSWORD"] == "own"


def test_callers_reach_the_service_from_this_machine_alone(whole: dict[str, Any]) -> None:
    (port,) = whole["services"]["seealso"]["ports"]
    assert port["host_ip"] == "127.0.0.1"
    assert str(port["target"]) == image().last("EXPOSE")[0]


def test_it_has_more_time_to_end_than_it_gives_its_requests(whole: dict[str, Any]) -> None:
    grace = whole["services"]["seealso"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > GRACE_SECONDS


def image() -> Stage:
    return read_stages(ROOT / "Dockerfile")[-1]
