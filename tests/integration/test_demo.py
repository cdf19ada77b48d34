"""The demo: from files to lists, and a line of curl that gives the same."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from seealso.cluster.node import NodeInfo
from seealso.encoder import Bundle
from tests.library import Library


def demo(library: Library, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "seealso", "--config", str(library.config), "demo", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "120"},
    )


def found(node: NodeInfo, bundle: Bundle, folder: Path) -> Iterator[Library]:
    library = Library.found(folder, node.url, f"books-{uuid4().hex[:8]}", bundle)
    yield library
    library.close()


@pytest.fixture
def library(opensearch: NodeInfo, tiny: Bundle, tmp_path: Path) -> Iterator[Library]:
    yield from found(opensearch, tiny, tmp_path)


@pytest.fixture
def library_latest(opensearch_latest: NodeInfo, tiny: Bundle, tmp_path: Path) -> Iterator[Library]:
    """What is said of a user is read from the events: the cluster has no part in it."""
    yield from found(opensearch_latest, tiny, tmp_path)


def posted(url: str, body: bytes) -> list[list[str]]:
    request = urllib.request.Request(
        url, data=body, headers={"Content-Type": "application/x-ndjson"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        responses = json.load(answer)["responses"]
    return [[hit["_id"] for hit in one["hits"]["hits"]] for one in responses]


def test_it_builds_recommends_and_prints_a_line_of_curl(library: Library, tmp_path: Path) -> None:
    done = demo(library, tmp_path)
    assert done.returncode == 0, done.stderr
    # the critic comes first by name, but liked nothing
    assert "User u0 liked last" in done.stdout
    assert "Recommended to user u0" in done.stdout
    assert "Related to" in done.stdout
    assert done.stdout.endswith("  http://127.0.0.1:8080/\n")
    assert "make serve" in done.stdout
    line = re.search(r"--data-binary @(\S+) \\\n\s+'(http[^']+)'", done.stdout)
    assert line is not None
    vector, tail = posted(line[2], (tmp_path / line[1]).read_bytes())
    assert len(vector) == 10
    assert len(tail) == 2
    again = demo(library, tmp_path, "--user", "u3", "--item", "b7")
    assert again.returncode == 0, again.stderr
    assert "what is live is up to date" in again.stdout + again.stderr
    assert "User u3 liked last" in again.stdout
    assert "Related to The moon western number 7" in again.stdout
    listed = library.recommender().recommend("u3")
    vector, tail = posted(line[2], (tmp_path / line[1]).read_bytes())
    assert set(listed.ids) <= {*vector, *tail}


@pytest.mark.parametrize(
    ("user", "said"), [("critic", "user 'critic' liked nothing"), ("nobody", "liked nothing")]
)
def test_someone_without_taste_is_named(
    library_latest: Library, tmp_path: Path, user: str, said: str
) -> None:
    done = demo(library_latest, tmp_path, "--user", user)
    assert done.returncode == 3
    assert said in done.stderr
    assert "choose another --user" in done.stderr
