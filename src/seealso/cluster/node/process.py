"""The operating system's side of a node: start it detached, know it again, end it.

A process is known by pid and start time together, so that a pid which the system has given to
another program is never taken for the node.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seealso.cluster.node.account import Account
from seealso.errors import MissingExtraError, NodeError
from seealso.folders import write_whole

# starts its arguments in the background and says their pid: nobody's child, so it neither
# dies with the program that started it nor stays behind as a zombie of it
DETACH = '"$@" >>"$0" 2>&1 </dev/null & echo $!'
START_TIME_TOLERANCE_S = 1.0


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered of a started node, in a file beside it."""

    pid: int
    created: float
    port: int
    transport_port: int
    home: str
    data: str


def write_state(path: Path, state: State) -> None:
    """Write the state file in one step."""
    write_whole(path, json.dumps(asdict(state)).encode())


def read_state(path: Path) -> State | None:
    """Return the remembered state; None if there is none, or one that cannot be read."""
    try:
        return State(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def launch(
    command: Sequence[str], *, account: Account, folder: Path, console: Path
) -> tuple[int, float]:
    """Run `command` detached, as `account`, its output going to `console`.

    Returns
    -------
    tuple
        The pid, and the time when the process began.
    """
    switch: dict[str, Any] = (
        {"user": account.uid, "group": account.gid, "extra_groups": []} if account.switched else {}
    )
    try:
        started = subprocess.run(  # noqa: S603 - our own command line, no text of a user in it
            ["/bin/sh", "-c", DETACH, str(console), *command],
            cwd=folder,
            # none of the caller's environment: it may hold passwords
            env={"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(folder)},
            start_new_session=True,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=30,
            **switch,
        )
    except (OSError, subprocess.SubprocessError) as exc:
        raise NodeError(f"cannot start OpenSearch: {exc}") from exc
    pid = int(started.stdout)
    process = _find(pid)
    return pid, process.create_time() if process is not None else 0.0


def alive(state: State) -> bool:
    """Say whether the process of `state` still runs."""
    return _same(state) is not None


def end(state: State, timeout: float) -> bool:
    """Ask the process to end, and kill it after `timeout` seconds; False if it was gone."""
    process = _same(state)
    if process is None:
        return False
    with _translated(state):
        process.terminate()
        try:
            process.wait(timeout)
        except _psutil().TimeoutExpired:
            kill(state)
    return True


def kill(state: State) -> None:
    """End the process at once, without letting it close its files, and wait until it is gone."""
    process = _same(state)
    if process is not None:
        with _translated(state):
            process.kill()
            process.wait(10)


@contextmanager
def _translated(state: State) -> Iterator[None]:
    """Name why a process cannot be ended; that it is gone already is no error."""
    psutil = _psutil()
    try:
        yield
    except psutil.NoSuchProcess:
        pass
    except psutil.TimeoutExpired as exc:
        raise NodeError(f"process {state.pid} does not end, even when killed") from exc
    except psutil.AccessDenied as exc:
        raise NodeError(
            f"process {state.pid} belongs to another user",
            hint="stop it as the user who started it",
        ) from exc


def owner_of(mark: str) -> int | None:
    """Return the pid of the process that carries `mark` on its command line."""
    for process in _psutil().process_iter(["cmdline"]):
        if mark in (process.info["cmdline"] or ()):
            return int(process.pid)
    return None


def _same(state: State) -> Any | None:
    """Return the process of `state`, unless the pid now belongs to another one."""
    process = _find(state.pid)
    if process is None:
        return None
    try:
        same = abs(process.create_time() - state.created) < START_TIME_TOLERANCE_S
    except _psutil().Error:
        return None
    return process if same else None


def _find(pid: int) -> Any | None:
    psutil = _psutil()
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except psutil.Error:
        return None


def _psutil() -> Any:
    try:
        import psutil
    except ImportError as exc:
        raise MissingExtraError.of("psutil", "node") from exc
    return psutil
