"""deploy/nightly.sh, which builds in a container at once and every night: the real script."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from seealso.cluster import indices
from seealso.cluster.node import NodeInfo
from seealso.encoder import Bundle
from tests.library import Library

SCRIPT = Path(__file__).parents[2] / "deploy" / "nightly.sh"
BUILT = "seealso-built"


@pytest.fixture
def books(opensearch_latest: NodeInfo, tiny: Bundle, tmp_path: Path, index_name: str) -> Library:
    """A library of which no index was built yet."""
    return Library.found(tmp_path, opensearch_latest.url, index_name, tiny)


@contextmanager
def nightly(library: Library, **environ: str) -> "Iterator[subprocess.Popen[str]]":
    """Run the script in the folder of a library, until the block ends."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(
        [SCRIPT],
        cwd=library.folder,
        env=os.environ | {"PATH": path, "TMPDIR": str(library.folder), "TZ": "UTC"} | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as ran:
        try:
            yield ran
        finally:
            ran.terminate()


def test_it_builds_and_waits_for_the_night(books: Library) -> None:
    with nightly(books, NIGHTLY_AT="03:15") as ran:
        assert ran.stdout is not None
        lines = []
        for line in ran.stdout:
            lines.append(line)
            if line.startswith("the next build"):
                break
        found = re.search(r"on (\S+ at \S+) UTC", lines[-1])
        assert found is not None, lines
        wait = datetime.strptime(f"{found[1]}Z", "%Y-%m-%d at %H:%M:%S%z") - datetime.now(UTC)
        assert timedelta(minutes=-1) < wait < timedelta(days=1)
        assert found[1].endswith("03:15:00")
        assert indices.find_live(books.cluster, books.alias) is not None
        assert (books.folder / BUILT).is_file()
        started = time.monotonic()
        ran.send_signal(signal.SIGTERM)
        assert ran.wait(30) == 128 + signal.SIGTERM
        assert time.monotonic() - started < 10
    books.close()


def test_without_an_index_it_ends_with_what_the_build_said(books: Library) -> None:
    (books.folder / BUILT).touch()
    with nightly(books, SEEALSO_CLUSTER__URL="http://127.0.0.1:9") as ran:
        said, _ = ran.communicate(timeout=60)
    assert ran.returncode == 8, said
    assert "127.0.0.1:9" in said
    assert not (books.folder / BUILT).exists()


def test_a_time_that_is_none_is_refused_before_anything_is_built(books: Library) -> None:
    with nightly(books, NIGHTLY_AT="at night") as ran:
        said, _ = ran.communicate(timeout=60)
    assert ran.returncode == 2
    assert "NIGHTLY_AT=at night: must be a time like 03:15" in said
