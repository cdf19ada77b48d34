"""The Helm chart: linted and rendered by Helm itself, and checked against Kubernetes' schemas."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import helm_python as helm
import kubernetes_validate
import pytest
import yaml

import seealso
from release.dockerfile import read_stages
from seealso.config import load_settings
from seealso.errors import (
    BundleError,
    ConfigError,
    DataError,
    MissingExtraError,
    NotBetter,
    TemplateError,
)
from seealso.plugin.service.keys import OPEN
from seealso.plugin.service.server import GRACE_SECONDS
from tests.snippets import blocks
from tests.unit.test_docs_code import any_file, parse

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "seealso"
KEY = {"name": "shop", "sha256": "a" * 64}
LEAST: dict[str, Any] = {"keys": [KEY], "cluster": {"url": "https://opensearch:9200"}}
MOST: dict[str, Any] = {
    **LEAST,
    "cluster": {**LEAST["cluster"], "username": "seealso", "ca": {"secret": "opensearch-ca"}},
    "secret": "seealso",
    "env": [{"name": "AWS_REGION", "value": "eu-central-1"}],
    "imagePullSecrets": [{"name": "registry"}],
    "data": {"volume": {"persistentVolumeClaim": {"claimName": "exports"}}},
    "bundles": {"storageClass": "shared"},
    "service": {"podAnnotations": {"team": "shop"}, "annotations": {"team": "shop"}},
    "build": {"nodeSelector": {"disk": "fast"}, "tolerations": [{"key": "night"}]},
    "autoscaling": {"enabled": True},
    "networkPolicy": {"enabled": True, "from": [{"namespaceSelector": {}}]},
}
VERSIONS = ("1.31", "1.37")
"""The oldest Kubernetes that the chart allows, and a new one."""


def render(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what the chart makes, by kind."""
    with helm.Chart.load(CHART) as chart:
        chart.validate_schema(values)
        rendered = chart.render(values, name="shop", namespace="prod")
    made = [yaml.safe_load(text) for name, text in rendered.items() if name.endswith(".yaml")]
    return {one["kind"]: one for one in made if one}


def pods(made: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the pods of the service and of the build are."""
    job = made["CronJob"]["spec"]["jobTemplate"]["spec"]
    return [one["template"]["spec"] for one in (made["Deployment"]["spec"], job)]


def containers(made: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for pod in pods(made):
        yield from (*pod.get("initContainers", ()), *pod["containers"])


@pytest.mark.parametrize("values", [LEAST, MOST], ids=["least", "most"])
def test_helm_finds_nothing_wrong(values: dict[str, Any]) -> None:
    found = helm.lint(CHART, values, strict=True)
    # information: charts may have a picture
    worse = [one for one in found["messages"] or () if one["severity"] > 1]
    assert (found["errors"] or [], worse) == ([], [])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", [LEAST, MOST], ids=["least", "most"])
def test_kubernetes_knows_what_is_made(values: dict[str, Any], version: str) -> None:
    made = render(values)
    assert {"ConfigMap", "CronJob", "Deployment", "PersistentVolumeClaim", "Service"} <= set(made)
    for manifest in made.values():
        kubernetes_validate.validate(manifest, version, strict=True)


def test_the_values_of_the_docs_can_be_installed() -> None:
    shown = blocks(ROOT / "docs" / "how-to" / "deploy.md", "yaml")[0]
    for manifest in render(yaml.safe_load(shown)).values():
        kubernetes_validate.validate(manifest, VERSIONS[-1], strict=True)


def test_what_is_optional_is_made_when_it_is_chosen() -> None:
    assert set(render(MOST)) - set(render(LEAST)) == {"HorizontalPodAutoscaler", "NetworkPolicy"}
    assert "replicas" not in render(MOST)["Deployment"]["spec"]
    without = {**LEAST, "podDisruptionBudget": {"enabled": False},
               "bundles": {"existingClaim": "own"}}  # fmt: skip
    made = render(without)
    assert set(render(LEAST)) - set(made) == {"PodDisruptionBudget", "PersistentVolumeClaim"}
    claims = [one["volumes"][1]["persistentVolumeClaim"]["claimName"] for one in pods(made)]
    assert claims == ["own", "own"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({**LEAST, "keys": []}, "keys: name at least one"),
        ({**LEAST, "cluster": {}}, "cluster.url: set the address of OpenSearch"),
        ({**LEAST, "keys": [{**KEY, "sha256": "A key"}]}, "sha256"),
        ({**LEAST, "replicas": 3}, "replicas"),
        ({**LEAST, "service": {"readiness": "/metrics"}}, "readiness"),
    ],
)
def test_values_that_cannot_work_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(helm.HelmError, match=re.escape(message)):
        render(values)


@pytest.mark.parametrize("values", [LEAST, MOST], ids=["least", "most"])
def test_settings_and_variables_are_those_of_seealso(
    values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = render(values)
    file = tmp_path / "seealso.toml"
    file.write_text(made["ConfigMap"]["data"]["seealso.toml"])
    for container in containers(made):
        with monkeypatch.context() as patched:
            for one in container["env"]:
                patched.setenv(one["name"], one["value"])
            settings = load_settings(file)
        assert settings.cluster.url == LEAST["cluster"]["url"]
        assert settings.cluster.username == values["cluster"].get("username")
        assert [one.name for one in settings.service.keys] == ["shop"]
        mounted = [Path(one["mountPath"]) for one in container["volumeMounts"]]
        if settings.cluster.ca_file is not None:
            assert settings.cluster.ca_file.parent in mounted
        if "data" in values:
            assert settings.catalogue.path is not None
            assert settings.catalogue.path.parent in mounted


def test_it_runs_the_image_as_it_is_made() -> None:
    made = render(LEAST)
    image = read_stages(ROOT / "Dockerfile")[-1]
    (user,) = image.last("USER")
    (folder,) = image.last("VOLUME")
    for pod in pods(made):
        identity = pod["securityContext"]
        assert f"{identity['runAsUser']}:{identity['runAsGroup']}" == user
        assert identity["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
    for container in containers(made):
        assert container["image"] == f"seealso:{seealso.__version__}"
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        mounts = {one["mountPath"]: one.get("readOnly", False) for one in container["volumeMounts"]}
        assert mounts[image.last("WORKDIR")[0]] is True
        # the build writes bundles, the service reads them
        assert mounts[folder] is (container["name"] == "service")
    (port,) = pods(made)[0]["containers"][0]["ports"]
    assert str(port["containerPort"]) == image.last("EXPOSE")[0]


def test_it_runs_commands_that_are_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("click.Path.convert", any_file)
    monkeypatch.chdir(tmp_path)
    calls = [container["args"] for container in containers(render(LEAST))]
    assert [call[0] for call in calls] == ["serve", "build", "index"]
    for call in calls:
        parse(call)


def test_probes_ask_addresses_that_need_no_key() -> None:
    service = next(containers(render(LEAST)))
    asked = [service[f"{one}Probe"]["httpGet"]["path"] for one in ("startup", "readiness")]
    # ready once; then callers get the service's own answer where the cluster is away
    assert asked == ["/readyz", "/healthz"]
    assert service["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert set(asked) <= OPEN


def test_a_pod_has_the_time_that_it_gives_its_requests() -> None:
    (pod, _) = pods(render(LEAST))
    (service,) = pod["containers"]
    (_, seconds) = service["lifecycle"]["preStop"]["exec"]["command"]
    assert pod["terminationGracePeriodSeconds"] > GRACE_SECONDS + int(seconds)


def test_a_build_is_tried_again_where_that_may_help() -> None:
    job = render(LEAST)["CronJob"]["spec"]["jobTemplate"]["spec"]
    (rule,) = job["podFailurePolicy"]["rules"]
    lasting = (ConfigError, DataError, MissingExtraError, BundleError, TemplateError, NotBetter)
    assert sorted(rule["onExitCodes"]["values"]) == sorted(one.exit_code for one in lasting)
    assert rule["action"] == "FailJob"
    # an init container: what comes after it runs only if it went well
    build, prune = list(containers(render(LEAST)))[1:]
    assert rule["onExitCodes"]["containerName"] == build["name"]
    assert prune["args"][:2] == ["index", "prune"]


def test_no_secret_is_in_what_is_made() -> None:
    made = json.dumps(render(MOST))
    assert "PASSWORD" not in made
    for container in containers(render(MOST)):
        assert container["envFrom"] == [{"secretRef": {"name": "seealso"}}]


def test_the_versions_are_one() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == seealso.__version__
    assert chart["kubeVersion"] == f">={VERSIONS[0]}.0-0"
