"""Commands that must fail: what they say, and that they leave every index as it was."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from seealso.cli.main import main
from seealso.cluster import Cluster
from seealso.cluster.node import NodeInfo
from tests.integration.catalogues import OpenShop, Shop, films, views


@dataclass(frozen=True)
class Complaint:
    """What a command said before it ended."""

    code: int
    error: str
    hint: str


Complain = Callable[..., Complaint]


@pytest.fixture
def complain(capsys: pytest.CaptureFixture[str]) -> Complain:
    """Run a command that must fail, with one error line and one hint."""

    def run(shop: Shop, *command: str, config: Path | None = None, **changes: Any) -> Complaint:
        arguments = shop.arguments(*command, **changes)
        if config is not None:
            arguments = ["--config", str(config), *arguments]
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = capsys.readouterr()
        errors = [line for line in said.err.splitlines() if line.startswith("error: ")]
        hints = [line for line in said.err.splitlines() if line.startswith(" hint: ")]
        assert (len(errors), len(hints), said.out) == (1, 1, "")
        assert "Traceback" not in said.err
        return Complaint(ended.value.code, errors[0][7:], hints[0][7:])

    return run


def state(cluster: Cluster, alias: str) -> dict[str, Any]:
    """Return all that a command could have changed of the indices of an alias."""
    found = cluster.request("GET", f"/{alias}*", params={"ignore_unavailable": "true"})
    stats = cluster.request("GET", f"/{alias}*/_stats/indexing,docs")["indices"]
    return {
        name: (
            sorted(found[name]["aliases"]),
            found[name]["mappings"].get("_meta"),
            stats[name]["primaries"]["indexing"]["index_total"],
            stats[name]["primaries"]["docs"]["count"],
        )
        for name in found
    }


@pytest.fixture
def kept_shop(opensearch_latest: NodeInfo, open_shop: OpenShop) -> Iterator[Shop]:
    """A shop with a live index, which is the same after the test."""
    shop = open_shop(opensearch_latest.url)
    shop.stock(films(30), views({"f1": 3}))
    shop.build()
    before = state(shop.cluster, shop.alias)
    bundles = sorted(path.name for path in (shop.folder / "bundles").iterdir())
    yield shop
    assert state(shop.cluster, shop.alias) == before
    there = sorted(path.name for path in (shop.folder / "bundles").iterdir())
    assert there == bundles
