"""The shop as it was before: an index of its own, which its search asks.

    python examples/shop/shop.py open FILE            fill shop-games-v1, unless it is there
    python examples/shop/shop.py ask INDEX BODY OUT   search, keep the answer, and print it
    python examples/shop/shop.py show ANSWER          print an answer that was kept
    python examples/shop/shop.py same ANSWER ANSWER   compare two of them, to the last digit

Nothing of it knows of vectors. The cluster is the one that ``seealso`` would use.
"""

import json
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from seealso.cluster import Cluster, connect
from seealso.config import load_settings

ALIAS, INDEX = "shop-games", "shop-games-v1"
BATCH = 2000
MAPPINGS = {
    "properties": {
        "sku": {"type": "keyword"},
        "title": {"type": "text", "analyzer": "english"},
        "platform": {"type": "keyword"},
        "kind": {"type": "keyword"},
    }
}


def cluster() -> Cluster:
    """Return the cluster of the settings, or the embedded node."""
    return connect(load_settings(Path(__file__).with_name("seealso.toml")), os.environ)


def bulk(lines: list[str]) -> bytes:
    """Return a bulk body that writes the documents, given as JSON, under their sku."""
    pairs = ((json.dumps({"index": {"_id": json.loads(line)["sku"]}}), line) for line in lines)
    return "".join(f"{action}\n{line}\n" for action, line in pairs).encode()


def open_shop(file: str) -> None:
    """Create the index and its alias, and write the documents, unless the shop is open."""
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    with closing(cluster()) as shop:
        if shop.exists(f"/_alias/{ALIAS}"):
            print(f"{ALIAS} already exists")
            return
        if shop.exists(f"/{INDEX}"):  # a run that was stopped
            shop.request("DELETE", f"/{INDEX}")
        settings = {"number_of_shards": 1, "number_of_replicas": 0}
        shop.request("PUT", f"/{INDEX}", {"settings": settings, "mappings": MAPPINGS})
        for start in range(0, len(lines), BATCH):
            answer = shop.request("POST", f"/{INDEX}/_bulk", bulk(lines[start : start + BATCH]))
            if answer["errors"]:
                sys.exit(f"{INDEX} refused documents: {answer['items'][0]}")
        shop.request("POST", f"/{INDEX}/_refresh")
        shop.request("PUT", f"/{INDEX}/_alias/{ALIAS}")
    print(f"{ALIAS} -> {INDEX}, {len(lines):,} documents")


def ask(index: str, body: str, out: str) -> None:
    """Send a search to an index or alias, keep the answer and print it."""
    with closing(cluster()) as shop:
        answer = shop.request("POST", f"/{index}/_search", Path(body).read_bytes())
    Path(out).write_text(json.dumps(answer))
    show(out)


def show(file: str) -> None:
    """Print the hits and the facet of an answer."""
    answer = read(file)
    for hit in answer["hits"]["hits"]:
        print(f"{hit['_score']:8.4f}  {hit['_source']['title']}")
    buckets = answer["aggregations"]["platforms"]["buckets"]
    counts = ", ".join(f"{one['key']} {one['doc_count']}" for one in buckets)
    print(f"found {answer['hits']['total']['value']}; {counts}")


def same(first: str, second: str) -> None:
    """Say whether two answers have the same hits, scores and facets; end with 1 if not."""
    a, b = told(read(first)), told(read(second))
    if a != b:
        sys.exit("the answers differ")
    print(f"the same {len(a[0])} hits with the same scores, the same total and the same facets")


def told(answer: dict[str, Any]) -> tuple[Any, ...]:
    """Return what a client sees of an answer."""
    hits = [(hit["_id"], hit["_score"]) for hit in answer["hits"]["hits"]]
    return hits, answer["hits"]["total"], answer["aggregations"]


def read(file: str) -> dict[str, Any]:
    """Return the answer in a file."""
    found: dict[str, Any] = json.loads(Path(file).read_text())
    return found


COMMANDS = {"open": open_shop, "ask": ask, "show": show, "same": same}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
