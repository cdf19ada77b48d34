"""The OpenSearch that the benchmarks run on: an embedded node of their own, and its facts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from seealso.cluster import Cluster
from seealso.cluster.node import Node

ROOT = Path(".seealso/bench")
DATA = ROOT / "data"


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What the speed of a node depends on."""

    opensearch: str
    jdk: str
    heap: str
    simd: bool
    """Whether Lucene has jdk.incubator.vector."""


@contextmanager
def running_node(heap: str) -> Iterator[tuple[Cluster, NodeFacts]]:
    """Give a connection to a running, empty node of that heap; it ends with the block."""
    node = Node(ROOT, heap=heap, data=DATA)
    node.stop()  # one that a killed run left may have another heap
    rmtree(DATA, ignore_errors=True)
    info = node.start()
    cluster = Cluster(info.url, timeout=120)
    try:
        yield cluster, _facts(cluster, heap)
    finally:
        cluster.close()
        node.stop()


def _facts(cluster: Cluster, heap: str) -> NodeFacts:
    (node,) = cluster.request("GET", "/_nodes/jvm")["nodes"].values()
    jvm = node["jvm"]
    return NodeFacts(
        opensearch=node["version"],
        jdk=f"{jvm['vm_name']} {jvm['version']}",
        heap=heap,
        simd=any("jdk.incubator.vector" in option for option in jvm["input_arguments"]),
    )
