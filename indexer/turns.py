"""Turns: each ingest of events begins one, names the indices that it writes to, and ends it.

All turns are in one document of the index of events, which scripts change atomically. Whoever
forgets a user waits until all turns have ended, and lets none begin meanwhile. If a process was
killed, its turn ends by itself after a while, by the clock of the cluster.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from typing import Any, Final
from uuid import uuid4

from seealso.cluster import Cluster, fetch
from seealso.errors import Busy

LEASE_SECONDS: Final = 60.0
"""How long a turn lasts if it is not renewed."""

POLL_SECONDS: Final = 0.05

DOCUMENT: Final = "seealso:turns"
"""The document with the turns, in an index of events."""

ENDED: Final = """
ctx._source.turns.entrySet().removeIf(one -> ctx._now - one.value.since >= params.lease);
ctx._source.forgotten.entrySet().removeIf(one -> ctx._now - one.value >= params.lease);
"""
"""What a killed process began ends by itself; who was forgotten is known for a moment only."""

BEGIN: Final = f"""{ENDED}
def alone = ctx._source.alone;
if (alone != null && ctx._now - alone.since < params.lease) {{
  ctx.op = 'none';
}} else {{
  ctx._source.turns[params.turn] = ['since': ctx._now, 'indices': params.indices];
}}
"""
"""Begins or renews a turn, unless another process needs to be alone."""

END: Final = f"{ENDED} ctx._source.turns.remove(params.turn);"

ALONE: Final = f"""{ENDED}
def alone = ctx._source.alone;
if (alone != null && alone.who != params.turn && ctx._now - alone.since < params.lease) {{
  ctx.op = 'none';
}} else {{
  ctx._source.alone = ['since': ctx._now, 'who': params.turn];
}}
"""
"""Lets no turn begin, and is repeated to say that this still holds."""

LEAVE: Final = """
if (ctx._source.alone?.who == params.turn) { ctx._source.remove('alone') }
ctx._source.forgotten[params.user] = ctx._now;
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn that has begun.

    Attributes
    ----------
    cluster, index
        Where it stands.
    name
        Tells it from others.
    forgotten
        Who was forgotten a moment ago, as `find_forgotten` returns it.
    """

    cluster: Cluster
    index: str
    name: str
    forgotten: Mapping[str, int]

    def announce(self, indices: Sequence[str]) -> None:
        """Write down which indices are written to from now on, and that the turn still lasts.

        Parameters
        ----------
        indices
            What tells them from others, and their state from a later one.

        Raises
        ------
        Busy
            It lasted so long that another process is alone now.
        """
        answer = _run_script(self.cluster, self.index, BEGIN, self.name, {"indices": list(indices)})
        if answer["result"] == "noop":
            raise _forgetting(self.index)

    def others(self) -> list[tuple[str, ...]]:
        """Return what each of the other turns writes to."""
        # ending a turn that nobody has begun returns those that last
        answer = _run_script(self.cluster, self.index, END, "")
        turns = answer["get"]["_source"]["turns"].items()
        return [tuple(one["indices"]) for name, one in turns if name != self.name]


@contextmanager
def take_turn(cluster: Cluster, index: str, patience: float | None = None) -> Iterator[Turn]:
    """Begin a turn, as soon as no process needs to be alone, and end it.

    Parameters
    ----------
    cluster, index
        The index of the events.
    patience
        Seconds to wait for that; None for as long as it takes.

    Raises
    ------
    Busy
        Another process was alone all that time.
    """
    name, ends = uuid4().hex, time.monotonic() + (inf if patience is None else patience)
    while (answer := _run_script(cluster, index, BEGIN, name, {"indices": []}))["result"] == "noop":
        if time.monotonic() >= ends:
            raise _forgetting(index)
        time.sleep(POLL_SECONDS)
    try:
        yield Turn(cluster, index, name, answer["get"]["_source"]["forgotten"])
    finally:
        _run_script(cluster, index, END, name)


@contextmanager
def hold_turns(cluster: Cluster, index: str, user: str) -> Iterator[Callable[[], object]]:
    """Wait for all turns to end, and let none begin while a user is being forgotten.

    Parameters
    ----------
    cluster, index
        The index of the events.
    user
        The pseudonym of who is forgotten.

    Yields
    ------
    Callable
        Says that this still lasts; to be called every few seconds.

    Raises
    ------
    Busy
        Somebody else is alone.
    """
    name = uuid4().hex

    def stay() -> Mapping[str, Any]:
        answer = _run_script(cluster, index, ALONE, name)
        if answer["result"] == "noop":
            raise Busy(
                f"{index}: another user is being forgotten",
                hint="run the same command again in a moment",
                index=index,
            )
        turns: Mapping[str, Any] = answer["get"]["_source"]["turns"]
        return turns

    try:
        while stay():
            time.sleep(POLL_SECONDS)
        yield stay
    finally:
        _run_script(cluster, index, LEAVE, name, {"user": user})


def find_forgotten(cluster: Cluster, index: str) -> dict[str, int]:
    """Return who was forgotten within the last minute, or a little earlier.

    Parameters
    ----------
    cluster, index
        The index of the events.

    Returns
    -------
    dict
        Milliseconds by the cluster's clock, by pseudonym.
    """
    found = fetch(cluster, index, [DOCUMENT], source=["forgotten"])
    return dict(found[DOCUMENT]["_source"].get("forgotten", {})) if found else {}


def _forgetting(index: str) -> Busy:
    hint = "take the same events in again in a moment"
    return Busy(f"{index}: a user is being forgotten", hint=hint, index=index)


def _run_script(
    cluster: Cluster, index: str, source: str, name: str, more: Mapping[str, object] | None = None
) -> Mapping[str, Any]:
    params = {"turn": name, "lease": int(LEASE_SECONDS * 1000), **(more or {})}
    answer: Mapping[str, Any] = cluster.request(
        "POST",
        f"/{index}/_update/{DOCUMENT}",
        {
            "script": {"lang": "painless", "source": source, "params": params},
            "scripted_upsert": True,
            "upsert": {"turns": {}, "forgotten": {}},
        },
        params={"retry_on_conflict": 20, "_source": "true"},
    )
    return answer
