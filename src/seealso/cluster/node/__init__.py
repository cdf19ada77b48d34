"""The embedded node: a real OpenSearch with k-NN, from packages alone.

For tests, demos and laptops; production uses a cluster of its own.
"""

from seealso.cluster.node.node import Node, NodeInfo
from seealso.cluster.node.versions import DEFAULT_VERSION, VERSIONS

__all__ = ["DEFAULT_VERSION", "VERSIONS", "Node", "NodeInfo"]
