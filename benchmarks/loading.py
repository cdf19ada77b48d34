"""Bulk loading, side by side: opensearchpy.helpers.bulk from lists, BulkWriter from numpy.

The same documents, a fresh index each time, until the last one is acknowledged. The helper has
its defaults; the lists are made beforehand.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import orjson
from opensearchpy import OpenSearch, helpers

from benchmarks.measure import Figure, Report, Seconds, Target, figure, machine, ratio, take_turns
from benchmarks.node import running_node
from benchmarks.synthetic import DIMENSION, Catalogue, document, fresh_index, make_catalogue
from seealso.cluster import BulkWriter, Cluster, indices
from seealso.config import IndexSettings
from seealso.log import progress

ROUNDS = 3
HELPER, WRITER = "opensearchpy.helpers.bulk", "BulkWriter"

Document = dict[str, Any]


def as_lists(documents: list[Document]) -> list[Document]:
    """Return the documents with their vectors as Python lists, as the helper needs them."""
    return [{**one, "vector": one["vector"].tolist()} for one in documents]


def by_helper(client: OpenSearch, index: str, documents: list[Document]) -> None:
    """Load with the helper's defaults."""
    helpers.bulk(
        client, ({"_index": index, "_id": one["item_id"], "_source": one} for one in documents)
    )


def by_writer(cluster: Cluster, index: str, documents: list[Document]) -> None:
    """Load as a build does, with the default settings."""
    settings = IndexSettings()
    with BulkWriter(
        cluster, index, threads=settings.threads, chunk_bytes=settings.bulk_bytes
    ) as writer:
        for one in documents:
            writer.index(one["item_id"], one)


def encoding_figures(documents: list[Document], lists: list[Document]) -> list[Figure]:
    """Return how fast each side alone makes its bodies, without a cluster."""

    def standard(_turn: int) -> None:
        for one in lists:
            json.dumps(one, ensure_ascii=False, separators=(",", ":"))

    def fast(_turn: int) -> None:
        for one in documents:
            orjson.dumps(one, option=orjson.OPT_SERIALIZE_NUMPY)

    seconds = take_turns({HELPER: standard, WRITER: fast}, ROUNDS)
    what = "of that, making the bodies: orjson from numpy, times faster than json from lists"
    return [ratio(what, seconds[HELPER], seconds[WRITER])]


def compare(
    cluster: Cluster, catalogue: Catalogue, documents: list[Document], lists: list[Document]
) -> dict[str, Seconds]:
    """Time both sides; each writes to an index that was made for it before."""
    client = OpenSearch(hosts=[cluster.url], timeout=120)
    loads: dict[str, Callable[[str], None]] = {
        HELPER: lambda index: by_helper(client, index, lists),
        WRITER: lambda index: by_writer(cluster, index, documents),
    }
    order = list(loads)

    def name(side: str, turn: int) -> str:
        return f"loading-{order.index(side)}-{turn + 1}"

    def load(side: str, turn: int) -> None:
        loads[side](name(side, turn))

    for side in order:
        for turn in range(-1, ROUNDS):
            fresh_index(cluster, name(side, turn), {})
    with progress("loading", ROUNDS + 1) as tick:
        seconds = take_turns(
            {side: partial(load, side) for side in order}, ROUNDS, warm_up=1, tick=tick
        )
    for side in order:
        for turn in range(-1, ROUNDS):
            indices.refresh(cluster, name(side, turn))
            if (found := indices.count(cluster, name(side, turn))) != len(catalogue):
                raise AssertionError(f"{side}: {found} of {len(catalogue)} documents")
            indices.delete(cluster, name(side, turn))
    client.close()
    return seconds


def run(items: int) -> Report:
    """Measure loading a fifth of the small catalogue."""
    catalogue = make_catalogue(items // 5)
    documents = [document(number, catalogue) for number in range(len(catalogue))]
    lists = as_lists(documents)
    with running_node("2g") as (cluster, facts):
        known = machine(facts)
        seconds = compare(cluster, catalogue, documents, lists)
    what = f"{WRITER}, times faster than {HELPER}"
    figures = [
        ratio(what, seconds[HELPER], seconds[WRITER], Target("at least", 2, "aim")),
        *encoding_figures(documents, lists),
        *(
            figure(f"{side}, documents a second", "1/s", len(catalogue) / np.asarray(each))
            for side, each in seconds.items()
        ),
    ]
    return Report(
        name="loading",
        title=f"Loading {len(catalogue):,} x {DIMENSION}",
        setting={"items": len(catalogue), "dimension": DIMENSION, "shards": 1, "replicas": 0},
        machine=known,
        figures=tuple(figures),
    )
