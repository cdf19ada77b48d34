"""The dashboard: Prometheus' parser reads what it asks for, and /metrics of the service has it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from seealso.plugin import Recommender
from tests.integration.catalogues import Shop
from tests.integration.services import age

DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana" / "seealso.json"
ADDED = {"job", "instance"}
"""Labels that Prometheus adds to all that it collects."""
FILLED = {"$__rate_interval": "5m", "$job": "seealso"}
"""What Grafana writes for its variables."""


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return found


@pytest.fixture
def counted(caller: TestClient, writer: Recommender, served: Shop) -> dict[str, set[str]]:
    """The labels of each number that a service has which was asked for this and that."""
    for body, status in (({"user": "ann-1"}, 200), ({"user": "nobody"}, 200), ({"x": 1}, 422)):
        assert caller.post("/v1/recommend", json=body).status_code == status
    events = {"events": [{"user": "ann-1", "item": "f1"}]}
    assert caller.post("/v1/events", json=events).status_code == 200
    assert writer._ubi is not None
    writer._ubi.flush()
    age(served)
    text = caller.get("/metrics").text
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def expressions(dashboard: dict[str, Any]) -> Iterator[Any]:
    """Yield what panels and annotations ask Prometheus for."""
    panels = [one for one in dashboard["panels"] if one["type"] != "row"]
    assert len(panels) > 8
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    asked += [one["expr"] for one in dashboard["annotations"]["list"]]
    for text in asked:
        for variable, value in FILLED.items():
            text = text.replace(variable, value)
        assert "$" not in text
        yield promql_parser.parse(text)


def nodes(expression: Any, kind: type) -> list[Any]:
    """Return the parts of an expression that are of one kind."""
    found: list[Any] = []
    promql_parser.walk(expression, lambda node: found.append(node))
    return [node for node in found if isinstance(node, kind)]


def test_the_service_has_what_it_asks_for(
    dashboard: dict[str, Any], counted: dict[str, set[str]]
) -> None:
    asked = set()
    for expression in expressions(dashboard):
        names = set()
        for selector in nodes(expression, promql_parser.VectorSelector):
            assert selector.name in counted, selector.name
            names |= counted[selector.name]
            matched = {matcher.name for matcher in selector.matchers.matchers}
            assert matched <= counted[selector.name] | ADDED, selector.name
            # of every replica, or of those that were chosen
            assert "job" in matched
            asked.add(selector.name)
        for sums in nodes(expression, promql_parser.AggregateExpr):
            by = set() if sums.modifier is None else set(sums.modifier.labels)
            assert by <= names
    # and shows each of them
    unshown = {re.sub("_(bucket|count|sum|created|total)$", "", one) for one in {*counted} - asked}
    assert unshown <= {re.sub("_(bucket|count|sum|total)$", "", one) for one in asked}


def test_its_legends_are_labels_of_what_they_describe(dashboard: dict[str, Any]) -> None:
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert all(re.search(rf"by \([^)]*\b{one}\b", target["expr"]) for one in named)


def test_grafana_finds_its_way(dashboard: dict[str, Any]) -> None:
    variables = {one["name"] for one in dashboard["templating"]["list"]}
    assert variables == {"datasource", "job"}
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(numbers)) == len(numbers)
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    for one in places:
        assert one["x"] + one["w"] <= 24
    covered = [
        (x, y) for one in places
        for x in range(one["x"], one["x"] + one["w"])
        for y in range(one["y"], one["y"] + one["h"])
    ]  # fmt: skip
    assert len(set(covered)) == len(covered)
    for panel in dashboard["panels"]:
        if panel["type"] != "row":
            assert panel["description"]
            assert panel["datasource"]["uid"] == "${datasource}"
