"""Blocks and closed indices in what OpenSearch refuses, and the requests that lift or open them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from seealso.errors import ClusterError

SETTINGS: Final[Mapping[str, str]] = {
    "9": "index.blocks.metadata",
    "5": "index.blocks.read_only",
    "12": "index.blocks.read_only_allow_delete",
    "8": "index.blocks.write",
    "7": "index.blocks.read",
    "6": "cluster.blocks.read_only",
    "13": "cluster.blocks.read_only_allow_delete",
    "10": "cluster.blocks.create_index",
}
"""By the number that OpenSearch gives a block. Those that keep settings from being changed come
first: while they are set, OpenSearch accepts only a request that lifts nothing else."""

DISK_SECONDS: Final = 60.0
"""When to try again what a full disk has kept from being done: OpenSearch looks twice a minute."""

CLOSED: Final = "index_closed_exception"

_BLOCKED = re.compile(r"(?:index \[(?P<index>[^]]+)\] )?blocked by: \[(?P<blocks>[^]]*)\]")

_CLOSED = re.compile(
    r"index_closed_exception: (?:index (?P<named>\S+) is )?closed"
    r"|index \[(?P<blocked>[^]]+)\] blocked by: \[FORBIDDEN/4/index"
)


@dataclass(frozen=True, slots=True)
class Block:
    """Something that an operator, or a full disk, keeps from being done.

    Attributes
    ----------
    setting
        Which holds it, by its full name.
    index
        Where; None for the whole cluster.
    """

    setting: str
    index: str | None = None

    @property
    def by_full_disk(self) -> bool:
        """Whether it is one that OpenSearch sets where disks are full, and lifts afterwards."""
        return self.setting.endswith(("read_only_allow_delete", "create_index"))

    @property
    def request(self) -> str:
        """The request that lifts it."""
        if self.index is None:
            return f'PUT _cluster/settings {{"persistent": {{"{self.setting}": null}}}}'
        return f'PUT {self.index}/_settings {{"{self.setting}": null}}'


def find_blocks(reason: str) -> list[Block] | None:
    """Return the blocks that `reason` speaks of, in the order to lift them; None if of none.

    It is an empty list where there is a block that seealso does not know.
    """
    # a cluster that is only just starting, or elects its manager, lifts its blocks itself
    if "block_exception" not in reason or "[SERVICE_UNAVAILABLE/" in reason:
        return None
    numbered = {
        (number, found["index"])
        for found in _BLOCKED.finditer(reason)
        for number in re.findall(r"[A-Z_]+/(\d+)/", found["blocks"])
    }
    return [
        Block(setting, index)
        for number, setting in SETTINGS.items()
        for index in sorted({place for one, place in numbered if one == number}, key=str)
    ]


def describe_cure(blocks: Iterable[Block]) -> str:
    """Return the hint that says how to lift `blocks`.

    It is a request for each: OpenSearch refuses one that lifts several, where one of them bars
    changes of settings.
    """
    listed = list(blocks)
    full = any(one.by_full_disk for one in listed)
    what = "the block" if len(listed) == 1 else "the blocks, each by a request of its own"
    requests = "; ".join(one.request for one in listed)
    return f"{'free disk space or ' if full else ''}lift {what}: {requests}"


def find_closed(reason: str) -> str | None:
    """Return the closed index that `reason` speaks of, "" if not by name; None if of none."""
    if (found := _CLOSED.search(reason)) is None:
        return None
    return found["named"] or found["blocked"] or ""


def cure_of(reason: str) -> str | None:
    """Return what lifts the block, or opens the index, that `reason` speaks of; None if of none."""
    if (closed := find_closed(reason)) is not None:
        return f"open it: POST {closed or 'INDEX'}/_open"
    if (blocks := find_blocks(reason)) is None:
        return None
    return describe_cure(blocks) if blocks else "lift the block that the message names"


def index_closed(index: str) -> ClusterError:
    """Return the error for a closed index: its contents are unknown."""
    return ClusterError(f"{index} is closed", hint=f"open it: POST {index}/_open", index=index)


def blocked(index: str, reason: str) -> ClusterError | None:
    """Return the error for a block, or a closed index, that `reason` speaks of; None if of none.

    Parameters
    ----------
    index
        What was requested: behind an alias, `reason` names the index itself.
    reason
        Of OpenSearch.
    """
    if (closed := find_closed(reason)) is not None:
        return index_closed(closed or index)
    if (cure := cure_of(reason)) is None:
        return None
    blocks = find_blocks(reason)
    if not blocks:
        return ClusterError(f"{index}: is blocked: {reason}", hint=cure, index=index)
    where = blocks[0].index
    index = where or index
    what = "the cluster" if where is None else f"{where}:"
    names = ", ".join(dict.fromkeys(one.setting for one in blocks))
    full = any(one.by_full_disk for one in blocks)
    passing: dict[str, Any] = {"retry_after": DISK_SECONDS} if full else {}
    return ClusterError(f"{what} is blocked by {names}", hint=cure, index=index, **passing)
