"""How much memory the graph of an index takes, and whether the nodes of the cluster have it.

Lucene reads its graph through the page cache of the operating system: memory that no heap takes.
Where it is too small, each search waits for the disk.
"""

from dataclasses import dataclass
from typing import Any, Final

from seealso.cluster import Cluster
from seealso.config import ROUNDED_BITS, WHOLE_BITS, IndexSettings
from seealso.errors import ClusterError

GIB: Final = 2**30

OVERHEAD: Final = 1.1
"""What the k-NN plugin's documentation adds to vectors and links."""

BYTES_OF_A_LINK: Final = 8
"""By the same: for each of ``m``."""


LARGEST_SHARE: Final = 0.5
"""Of the memory that nodes have, the graph of whole vectors takes at most this share: while an
index is built, the live one beside it takes as much."""


@dataclass(frozen=True, slots=True)
class GraphMemory:
    """What a graph needs, and what there is.

    Attributes
    ----------
    index
        The settings of the index, with the bits that its numbers have in the graph.
    each
        Bytes of one copy.
    whole
        Bytes of one copy, were its vectors not rounded.
    available
        Bytes of all nodes with data that their heaps leave; None where the cluster does not say.
    """

    index: IndexSettings
    each: int
    whole: int
    available: int | None

    @property
    def copies(self) -> int:
        """The primary and its replicas."""
        return 1 + self.index.replicas

    @property
    def summary(self) -> str:
        """Need and supply in one line."""
        need = f"{describe_bytes(self.each)} for the graph, beside the heap"
        if self.index.rounded:
            whole = describe_bytes(self.whole)
            need = f"{need}, with vectors rounded to {self.index.vector_bits} bits (whole: {whole})"
        if self.copies > 1:
            need = f"{need}, in each of {self.copies} copies"
        there = "" if self.available is None else f"; nodes have {describe_bytes(self.available)}"
        return need + there


def graph_bytes(vectors: int, dimension: int, index: IndexSettings) -> int:
    """Return how many bytes of memory the graph of so many vectors takes.

    By the formula of the k-NN plugin's documentation: 1.1 * (bytes of the numbers + 8 * m) a
    vector. Rounded numbers have a byte each, whole ones four.
    """
    numbers = dimension * (1 if index.rounded else 4)
    return round(OVERHEAD * (numbers + BYTES_OF_A_LINK * index.m) * vectors)


def plan_memory(
    cluster: Cluster, vectors: int, dimension: int, index: IndexSettings
) -> GraphMemory:
    """Decide whether the graph has whole or rounded vectors, and return what it will take.

    Where ``index.vector_bits`` is not set, vectors are whole as long as all copies of their graph
    take at most `LARGEST_SHARE` of what the nodes have.

    Raises
    ------
    ClusterError
        The nodes cannot hold it.
    """
    available = _available(cluster)
    whole = graph_bytes(vectors, dimension, index.with_bits(WHOLE_BITS))
    if index.vector_bits is None:
        fits = available is None or whole * (1 + index.replicas) <= LARGEST_SHARE * available
        index = index.with_bits(WHOLE_BITS if fits or not index.can_round else ROUNDED_BITS)
    needed = GraphMemory(index, graph_bytes(vectors, dimension, index), whole, available)
    if available is not None and needed.each * needed.copies > available:
        smaller = "index.vector_bits = 7 takes a quarter of it, encoder.dimension shortens vectors"
        if index.rounded:
            smaller = "encoder.dimension shortens vectors, fewer index.replicas take less"
        raise ClusterError(
            f"{index.alias}: {vectors:,} vectors of {dimension} numbers do not fit into the memory "
            f"of the nodes: {needed.summary}",
            hint=f"{smaller}, and so does a smaller index.m; or add nodes, or memory beside their "
            "heaps",
        )
    return needed


def describe_bytes(number: int) -> str:
    """Return a number of bytes as a person reads it."""
    return f"{number / GIB:.1f} GiB" if number >= GIB / 10 else f"{number / 2**20:.0f} MiB"


def _available(cluster: Cluster) -> int | None:
    """Return what heaps leave of the memory of all machines whose nodes hold data."""
    path = "/_nodes/data:true/stats/os,jvm"
    fields = ("host", "os.mem.total_in_bytes", "jvm.mem.heap_max_in_bytes")
    parts = {"filter_path": ",".join(f"nodes.*.{one}" for one in fields)}
    try:
        found: dict[str, Any] = cluster.request("GET", path, None, parts)
    except ClusterError:
        # not everybody who may write an index may look at the nodes
        return None
    left: dict[str, int] = {}
    try:
        for one in found.get("nodes", {}).values():
            # nodes of one machine share its memory
            machine, memory = one["host"], one["os"]["mem"]["total_in_bytes"]
            left[machine] = left.get(machine, memory) - one["jvm"]["mem"]["heap_max_in_bytes"]
    except KeyError:
        return None
    return sum(max(0, one) for one in left.values()) if left else None
