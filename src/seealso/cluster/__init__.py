"""The only room that talks to OpenSearch: requests, indices and aliases, bulk loading, scans."""

from seealso.cluster.bulk import BulkWriter as BulkWriter
from seealso.cluster.client import Cluster as Cluster
from seealso.cluster.connecting import connect as connect
from seealso.cluster.locks import Lock as Lock
from seealso.cluster.locks import hold as hold
from seealso.cluster.physical import PhysicalIndex as PhysicalIndex
from seealso.cluster.physical import require_open as require_open
from seealso.cluster.scan import IndexSource as IndexSource
from seealso.cluster.scan import fetch as fetch
from seealso.cluster.scan import scan as scan
from seealso.cluster.scan import scan_ids as scan_ids
