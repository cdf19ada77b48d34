"""The example's films, encoded by MiniLM and indexed once on each version of OpenSearch.

Encoding 9,742 titles takes a minute or two; their vectors are kept in the working folder's
ignored `.seealso`, so that only the first run pays for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from seealso.cluster import Cluster, scan
from seealso.cluster.node import NodeInfo
from seealso.config import Settings, load_settings
from seealso.encoder import Bundle
from seealso.indexer.build import build
from seealso.indexer.inputs import inputs, row_source
from seealso.plugin import Recommender
from seealso.readers import Histories, Problems, read_events
from seealso.types import User, Vector
from tests.bundles import ROOT

EXAMPLE = ROOT / "examples" / "ml-latest-small" / "seealso.toml"
CACHE = ROOT / ".seealso" / "test-vectors.sqlite"
PEOPLE = 50


class Counting(Cluster):
    """A cluster that remembers which requests it sent.

    Looks at what an alias points to are left out: they go beside the others, in any order.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.sent: list[str] = []

    def request(self, method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        if (method, path.rpartition("/")[2]) != ("GET", "_mapping"):
            self.sent.append(f"{method} {path}")
        return super().request(method, path, *args, **kwargs)


@dataclass(frozen=True)
class Films:
    """An index of the films, and who saw them."""

    cluster: Counting
    settings: Settings
    histories: Histories
    recommender: Recommender

    @cached_property
    def people(self) -> list[User]:
        """Users with five positive ratings at least, spread over all of them."""
        every = [self.histories.user(user_id) for user_id in self.histories.users()]
        fit = [user for user in every if user is not None and len(user.history) >= 5]
        return fit[:: len(fit) // PEOPLE][:PEOPLE]

    @cached_property
    def documents(self) -> dict[str, dict[str, Any]]:
        """Every document, by id."""
        fields = ["vector", "importance", "tail", "text", "genres"]
        hits = scan(self.cluster, self.recommender.live.name, source=fields)
        return {hit["_id"]: hit["_source"] for batch in hits for hit in batch}

    @cached_property
    def ids(self) -> list[str]:
        """The ids in the order of `weighted`."""
        return list(self.documents)

    @cached_property
    def places(self) -> dict[str, int]:
        """The row of each id in `weighted`."""
        return {item_id: place for place, item_id in enumerate(self.ids)}

    @cached_property
    def weighted(self) -> Vector:
        """The stored vectors, shape (items, dimension)."""
        return np.array([self.documents[i]["vector"] for i in self.ids], dtype=np.float64)


@pytest.fixture(scope="session")
def films(
    opensearch: NodeInfo, minilm: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Films]:
    """The films on each version."""
    settings = load_settings(
        EXAMPLE,
        {
            "encoder": {
                "bundle": str(minilm.folder),
                "store": tmp_path_factory.mktemp("films") / "bundles",
                "cache": CACHE,
            },
            "index": {"alias": f"films-{uuid4().hex[:8]}"},
            "cluster": {"url": opensearch.url},
        },
    )
    cluster = Counting(opensearch.url)
    build(cluster, settings, inputs(settings, cluster, Problems("skip")))
    source = row_source(settings, "events", cluster)
    assert source is not None
    frames = read_events(source, settings.events, Problems("skip"))
    histories = Histories.from_events(frames, positive=settings.events.positive)
    yield Films(cluster, settings, histories, Recommender(cluster, settings, histories))
    cluster.request("DELETE", f"/{settings.index.alias}-*", params={"expand_wildcards": "all"})
    cluster.close()
