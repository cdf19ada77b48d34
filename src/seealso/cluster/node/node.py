"""One embedded OpenSearch node: start it, find it again, stop it.

It outlives the program that started it; its folder remembers which process it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock

from seealso.cluster.node import account, jdk, net, process, ready
from seealso.cluster.node.disk import require_space
from seealso.cluster.node.home import ensure_home, home_path
from seealso.cluster.node.launch import LOG4J, Layout, command, opensearch_yml
from seealso.cluster.node.locks import require_unlocked
from seealso.cluster.node.logs import PORT_IN_USE, log_size, tail
from seealso.cluster.node.versions import DEFAULT_VERSION, RELEASES, VERSIONS
from seealso.errors import ConfigError, NodeError
from seealso.log import logger

PORT_ATTEMPTS = 3
STOP_SECONDS = 30


@dataclass(frozen=True)
class NodeInfo:
    """A running node."""

    version: str
    url: str
    pid: int
    home: Path
    data: Path
    port: int
    transport_port: int


class Node:
    """An OpenSearch node of one version, below one folder.

    Parameters
    ----------
    root
        Folder of configuration, logs and data; each version has a folder of its own in it. If
        root starts the node and `root` is closed to other users, the content goes to
        ``/var/lib/seealso`` instead.
    version
        One of `VERSIONS`.
    port
        HTTP port; without one, the last one used if it is free, else any that is free.
    heap
        Heap of the JVM, for instance ``"512m"`` or ``"2g"``.
    data
        Folder of the data, if not below `root`.
    settings
        More lines of opensearch.yml; they overrule the node's own.
    """

    def __init__(
        self,
        root: Path,
        *,
        version: str = DEFAULT_VERSION,
        port: int | None = None,
        heap: str = "1g",
        data: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        if version not in RELEASES:
            raise ConfigError(
                f"no embedded OpenSearch {version}", hint=f"choose one of {', '.join(VERSIONS)}"
            )
        self._release = RELEASES[version]
        self._account = account.run_as()
        base = account.place(root, self._account) / version
        self._layout = Layout(base, data.absolute() if data else base / "data")
        self._port = port
        self._heap = heap
        self._settings = dict(settings or {})

    @property
    def log_path(self) -> Path:
        """File that OpenSearch logs to."""
        return self._layout.log

    def start(self, *, timeout: float = 120) -> NodeInfo:
        """Start the node and wait until it answers; if it runs already, only say where.

        Parameters
        ----------
        timeout
            Seconds without progress to wait for an answer, not counting the download of the
            first start; a node that replays what it was sent before a crash gets on.

        Raises
        ------
        NodeError
            If it cannot run: no Java, port taken, disk full, data in use by another process.
        MissingExtraError
            If the extra ``node`` is not installed.
        """
        account.create(self._layout.base, self._account)
        with FileLock(self._layout.base / "start.lock"):
            running = self._running()
            if running is None:
                running = self._start_new(timeout)
            else:
                self._check_port(running)
                ready.wait(running, self._layout, timeout)
        return self._info(running)

    def stop(self) -> bool:
        """Stop the node, by force after `STOP_SECONDS`; False if it did not run."""
        state = process.read_state(self._layout.state)
        return state is not None and process.end(state, STOP_SECONDS)

    def status(self) -> NodeInfo | None:
        """Return where the node runs, or None."""
        state = self._running()
        return self._info(state) if state is not None else None

    def logs(self, lines: int = 50) -> list[str]:
        """Return the last `lines` lines of the log, oldest first."""
        return tail(self._layout.log, lines)

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        state = process.read_state(self._layout.state)
        if state is not None:
            process.kill(state)

    def __enter__(self) -> NodeInfo:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start_new(self, timeout: float) -> process.State:
        """Start a process and wait for it; leave none behind if that fails."""
        line = self._prepare()
        for attempt in range(1, PORT_ATTEMPTS + 1):
            seen = log_size(self._layout)
            state = self._launch(line)
            try:
                ready.wait(state, self._layout, timeout, seen)
            except NodeError as exc:
                process.kill(state)
                # between choosing a free port and binding it, another program was faster
                lost_port = PORT_IN_USE in exc.message and self._setting("http.port") is None
                if not lost_port or attempt == PORT_ATTEMPTS:
                    raise
            except BaseException:
                process.kill(state)
                raise
            else:
                return state
        raise AssertionError("unreachable")

    def _prepare(self) -> list[str]:
        """Check and create all that a start needs; return the command line."""
        layout = self._layout
        for folder in (layout.config, layout.data, layout.logs, layout.scratch):
            account.own(folder, self._account)
        require_space(layout.data)
        require_unlocked(layout.data)
        cache = account.cache_folder(self._account)
        account.create(cache, self._account)
        found = jdk.find_jdk(self._release)
        if found.bundled:
            java_home = account.readable_copy(found.java.parents[1], self._account, cache)
            found = replace(found, java=java_home / "bin" / "java")
        home = ensure_home(self._release, cache)
        return command(self._release, found, home, layout, self._heap)

    def _launch(self, line: Sequence[str]) -> process.State:
        """Write the configuration, run `line` and remember the process."""
        layout = self._layout
        last = process.read_state(layout.state)
        port = net.choose_port(self._setting("http.port"), last.port if last else None)
        transport_port = net.choose_port(
            self._setting("transport.port"), last.transport_port if last else None
        )
        yml = opensearch_yml(layout, port, transport_port, self._settings)
        account.write(layout.config / "opensearch.yml", yml)
        account.write(layout.config / "log4j2.properties", LOG4J)
        layout.console.unlink(missing_ok=True)
        pid, created = process.launch(
            line, account=self._account, folder=layout.base, console=layout.console
        )
        home = home_path(self._release, account.cache_folder(self._account))
        state = process.State(pid, created, port, transport_port, str(home), str(layout.data))
        process.write_state(layout.state, state)
        logger(__name__).info("process %s, port %s, log %s", pid, port, layout.log)
        return state

    def _check_port(self, running: process.State) -> None:
        if self._port not in (None, running.port):
            raise NodeError(
                f"the node runs already, on port {running.port}",
                hint="stop it first to give it another port",
                port=running.port,
            )

    def _setting(self, setting: str) -> int | None:
        """Return the requested port, if any."""
        if setting == "http.port" and self._port is not None:
            return self._port
        value = self._settings.get(setting)
        return int(value) if value is not None else None

    def _running(self) -> process.State | None:
        state = process.read_state(self._layout.state)
        return state if state is not None and process.alive(state) else None

    def _info(self, state: process.State) -> NodeInfo:
        return NodeInfo(
            version=self._release.version,
            url=f"http://{net.HOST}:{state.port}",
            pid=state.pid,
            home=Path(state.home),
            data=Path(state.data),
            port=state.port,
            transport_port=state.transport_port,
        )
