"""The docs of the templates are run: each shell block, its output compared; and the commands."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from seealso.cli.main import cli
from seealso.cluster import Cluster
from seealso.cluster.node import NodeInfo
from seealso.errors import DataError
from seealso.indexer.templates import install
from seealso.query_templates import names, render, script_id

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = re.compile(r"```bash\n(.*?)```\n(?:\n```(?:json|text)\n(.*?)```\n)?", re.DOTALL)


def shown(output: str) -> Any:
    """What an example shows: JSON with numbers to five digits, or lines of text."""
    if output.startswith("{"):
        return json.loads(output, parse_float=lambda digits: round(float(digits), 5))
    return [line.rstrip() for line in output.strip().splitlines()]


@pytest.mark.alone
def test_the_examples_of_the_docs_print_what_the_docs_show(
    opensearch: NodeInfo, index_name: str, tmp_path: Path
) -> None:
    cluster = Cluster(opensearch.url)
    for name in names():
        cluster.request("DELETE", f"/_scripts/{script_id(name)}", params={"ignore": 404})
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "100",
        "SEEALSO_CLUSTER__URL": opensearch.url,
    }
    examples = EXAMPLE.findall((DOCS / "reference" / "templates.md").read_text(encoding="utf-8"))
    assert len(examples) == 15
    for block, output in examples:
        command = block.replace(":9200/songs", f":9200/{index_name}")
        done = subprocess.run(
            ["bash", "-c", command.replace("localhost:9200", opensearch.url)],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == "", block
        assert shown(done.stdout) == shown(output), block
    cluster.request("DELETE", f"/{index_name}")
    cluster.close()


def test_the_personalised_search_of_the_docs_scores_as_they_say(
    opensearch: NodeInfo, index_name: str
) -> None:
    cluster = Cluster(opensearch.url)
    install(cluster)
    vector = {"type": "knn_vector", "dimension": 2}
    fields = {"title": {"type": "text"}, "category": {"type": "keyword"}, "vector": vector}
    cluster.request("PUT", f"/{index_name}", {"mappings": {"properties": fields}})
    tents = {"near": [1.2, -0.4], "far": [-0.5, 0.6], "unknown": None}
    for name, place in tents.items():
        known = {} if place is None else {"vector": place}
        document = {"title": "A tent", "category": "camping", **known}
        cluster.request("PUT", f"/{index_name}/_doc/{name}", document)
    cluster.request("POST", f"/{index_name}/_refresh")
    page = (DOCS / "how-to" / "attach-to-an-existing-search.md").read_text(encoding="utf-8")
    ((command, _),) = EXAMPLE.findall(page)
    command = command.replace("localhost:9200/products", f"{opensearch.url}/{index_name}")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    plain = {"query": {"match": {"title": "tent"}}, "size": 1}
    relevance = cluster.request("POST", f"/{index_name}/_search", plain)["hits"]["max_score"]
    wanted = {}
    for name, place in tents.items():
        x = 0.3 if place is None else 0.9046 * place[0] - 0.1965 * place[1]
        wanted[name] = (relevance + 0.001) * math.exp(0.2 * (x - 0.3))
    found = {hit["_id"]: hit["_score"] for hit in answer["hits"]["hits"]}
    assert list(found) == ["near", "unknown", "far"]
    assert found == pytest.approx(wanted, rel=1e-5)
    (counted,) = answer["aggregations"]["categories"]["buckets"]
    assert counted == {"key": "camping", "doc_count": 3}
    cluster.request("DELETE", f"/{index_name}")
    cluster.close()


@pytest.mark.alone
def test_commands_install_list_show_and_render(opensearch: NodeInfo, tmp_path: Path) -> None:
    def run(*arguments: str, given: str | None = None) -> Any:
        chosen = ["--set", f"cluster.url={opensearch.url}", "--json", "templates", *arguments]
        done = CliRunner().invoke(cli, chosen, input=given, catch_exceptions=False)
        assert done.exit_code == 0
        return json.loads(done.stdout)

    cluster = Cluster(opensearch.url)
    install(cluster)
    cluster.request("DELETE", "/_scripts/seealso-ann")
    assert run("install", "--dry-run") == {"would_store": ["seealso-ann"]}
    assert [one["stored"] for one in run("list")] == ["missing", *["current"] * (len(names()) - 1)]
    assert run("install") == {"stored": ["seealso-ann"]}
    assert run("install") == {"stored": []}
    assert run("list")[0] == {
        "name": "ann",
        "id": "seealso-ann",
        "stored": "current",
        "parameters": [
            *("vector", "size", "min_score", "docvalues", "source", "filter", "exclude"),
            *("ef_search", "k", "rescore"),
        ],
        "required": ["vector"],
    }
    stored = cluster.request("GET", "/_scripts/seealso-tail")["script"]
    assert run("show", "tail") == {"id": "seealso-tail", "source": stored["source"]}
    params = '{"words": "\\"blues\\"", "size": 3}'
    file = tmp_path / "params.json"
    file.write_text(params, encoding="utf-8")
    expected = json.loads(render("tail", json.loads(params)))
    assert run("render", "tail", "--params", "-", given=params) == expected
    assert run("render", "tail", "--params", str(file)) == expected
    cluster.close()


@pytest.mark.parametrize(
    ("text", "message"),
    [("{\n 1}", "params.json:2:2: not JSON"), ("[]", "must be a JSON object")],
)
def test_render_names_what_is_wrong_with_the_parameters(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "params.json"
    file.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(cli, ["templates", "render", "ann", "--params", str(file)])
    assert isinstance(done.exception, DataError)
    assert message in done.exception.message
    assert done.exception.hint is not None


def test_list_says_so_if_no_cluster_answers() -> None:
    nowhere = ["--set", "cluster.url=http://127.0.0.1:9", "--set", "cluster.retries=0", "--json"]
    done = CliRunner().invoke(cli, [*nowhere, "templates", "list"])
    assert [one["stored"] for one in json.loads(done.stdout)] == [None] * len(names())
