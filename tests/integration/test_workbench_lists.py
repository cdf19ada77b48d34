"""The Workbench finds the lists of an evaluation, and counts what it counted: on real nodes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from seealso import api
from seealso.cluster import indices
from seealso.cluster.node import NodeInfo
from seealso.evaluation.metrics import DEPTH
from tests.integration.catalogues import OpenShop, films
from tests.integration.test_evaluate import FILMS, behaviour
from tests.members import KEY, NAMES
from tests.workbench import Imported, search_body


def test_an_experiment_counts_what_the_evaluation_counted(
    open_shop: OpenShop,
    opensearch: NodeInfo,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SEEALSO_USERS_KEY", KEY)
    shop = open_shop(opensearch.url, events={"time": "second"})
    shop.stock(films(FILMS), behaviour())
    found = api.evaluate(
        shop.settings(), baselines=["popularity"], workbench=tmp_path, protocols=["leave-one-out"]
    )
    (protocol,) = found.protocols
    imported = Imported(tmp_path / "leave-one-out")
    name = f"workbench-{shop.alias}-leave-one-out"
    cluster = shop.cluster
    try:
        cluster.request("PUT", f"/{name}", imported.index)
        params = {"refresh": "true", "filter_path": "errors"}
        done = cluster.request("POST", f"/{name}/_bulk", imported.lists, params)
        assert done == {"errors": False}

        def search(configuration: Mapping[str, Any], text: str, size: int) -> list[str]:
            assert configuration["index"] == name
            body = search_body(configuration, text, size)
            hits = cluster.request("POST", f"/{name}/_search", body)["hits"]["hits"]
            assert all(hit["_source"].keys() == {"title"} for hit in hits)
            return [hit["_id"] for hit in hits]

        systems = {
            "popularity": "popularity",
            "seealso": "seealso",
            "seealso-no-tail-share": "seealso, no tail share",
        }
        assert imported.configurations.keys() == systems.keys()
        for configuration, system in systems.items():
            metrics = protocol.score(system).metrics
            for size in (10, DEPTH):
                counted = imported.ndcg(configuration, size, search)
                assert counted == pytest.approx(metrics[f"ndcg@{size}"].mean, abs=1e-9)
        # the users are those of the users index: by its key, and by no id
        assert imported.queries == [NAMES.of(f"u{user:02}") for user in range(40)]
        assert '"u01"' not in json.dumps([imported.queries, imported.ratings])
    finally:
        indices.delete(cluster, name)
