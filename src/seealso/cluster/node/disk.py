"""Checks that there is room on the disk, before anything is written.

OpenSearch's own watermarks are off in the embedded node: on a full laptop they turn indices
read-only, long after the moment when an error could be understood.
"""

import shutil
from pathlib import Path

from seealso.errors import NodeError

MIN_FREE_BYTES = 500 * 1024**2


def require_space(folder: Path, needed: int = MIN_FREE_BYTES) -> None:
    """Raise NodeError unless `needed` bytes are free where `folder` lies."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NodeError(
            f"disk full: {free // 1024**2} MB free at {folder}, {needed // 1024**2} MB needed",
            hint="free some space, or choose a folder on another disk",
            folder=str(folder),
            free_bytes=free,
            needed_bytes=needed,
        )
