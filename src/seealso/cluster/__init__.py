"""The only room that talks to OpenSearch: requests, indices and aliases, bulk loading, scans."""

from seealso.cluster.bulk import BulkWriter
from seealso.cluster.client import Cluster
from seealso.cluster.connecting import connect
from seealso.cluster.locks import Lock, hold
from seealso.cluster.physical import PhysicalIndex, require_open
from seealso.cluster.scan import IndexSource, fetch, scan, scan_ids

__all__ = [
    "BulkWriter",
    "Cluster",
    "IndexSource",
    "Lock",
    "PhysicalIndex",
    "connect",
    "fetch",
    "hold",
    "require_open",
    "scan",
    "scan_ids",
]
