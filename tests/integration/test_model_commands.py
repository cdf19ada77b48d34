"""``seealso model`` push, pull, compare, list and show as called."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seealso.cli.bundles import in_short, lineage, parity
from seealso.config import TextSettings
from seealso.encoder import Bundle, BundleStore, Projection, bind
from seealso.encoder.description import MODEL
from seealso.encoder.transfer import Pull, pull
from tests.training_data import board_events, board_items

SEEALSO = Path(sys.executable).with_name("seealso")


class Desk:
    """A folder with the board, settings and a store, where commands are given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = BundleStore(folder / "bundles")
        for name, rows in (("items", board_items()), ("events", board_events(USERS))):
            lines = "".join(json.dumps(row) + "\n" for row in rows)
            (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
        (folder / "seealso.toml").write_text(
            f"""
[catalogue]
path = "items.jsonl"
[events]
path = "events.jsonl"
time = "day"
[encoder]
bundle = "tiny"
store = {json.dumps(str(self.store.root))}
cache = {json.dumps(str(folder / "vectors.sqlite"))}
threads = 1
""",
            encoding="utf-8",
        )

    def call(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(SEEALSO), "--config", "seealso.toml", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env={**os.environ, "COLUMNS": "200"},
        )


USERS = 40


@pytest.fixture
def desk(tmp_path: Path, tiny: Bundle) -> Desk:
    made = Desk(tmp_path)
    pull(Pull(tiny.folder), made.store)
    return made


@pytest.fixture
def blurred(desk: Desk, tiny: Bundle) -> Bundle:
    """A bundle for which all items are nearly alike."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(128, 2)).astype(np.float32)
    projection = Projection(np.zeros(128, dtype=np.float32), matrix)
    return bind(tiny, text=TextSettings(), projection=projection, store=desk.store)


def test_push_and_pull_as_called(desk: Desk, tiny: Bundle) -> None:
    planned = desk.call("model", "push", "tiny", "share/tiny.tar.gz", "--dry-run")
    assert "would be written" in planned.stdout
    assert not (desk.folder / "share").exists()
    pushed = json.loads(desk.call("model", "push", "tiny", "share/tiny.tar.gz", "--json").stdout)
    assert pushed["fingerprint"] == tiny.fingerprint
    again = desk.call("model", "push", "tiny", "share/tiny.tar.gz")
    assert again.returncode == 5
    assert "already exists" in again.stderr
    wrong = desk.call("model", "pull", "share/tiny.tar.gz", "other", "--sha256", "0" * 64)
    assert wrong.returncode == 5
    assert "not the expected one" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    taken = desk.call("model", "pull", "share/tiny.tar.gz", "other", "--sha256", pushed["sha256"])
    assert taken.returncode == 0, taken.stderr
    assert "imported" in taken.stdout
    assert desk.store.find("other").fingerprint == tiny.fingerprint


def test_a_bad_bundle_is_one_line(desk: Desk) -> None:
    assert desk.call("model", "push", "tiny", "share").returncode == 0
    (desk.folder / "share" / "tiny" / MODEL).write_bytes(b"no model")
    done = desk.call("model", "pull", "share/tiny", "other")
    assert done.returncode == 5
    errors = [line for line in done.stderr.splitlines() if line.startswith(("error", "Trace"))]
    assert errors == [
        "error: share/tiny: model.onnx: not the file that this bundle was made with"
    ]  # fmt: skip
    assert [folder.name for folder in desk.store.root.iterdir()] == ["tiny"]


def test_compare_as_called(desk: Desk, blurred: Bundle) -> None:
    better = desk.call("model", "compare", blurred.name, "tiny", "--json")
    assert better.returncode == 0, better.stderr
    found = json.loads(better.stdout)
    assert found["split"] == "dev"
    assert found["segments"][0]["part"] == "all"
    assert found["segments"][0]["users"] == USERS
    assert found["old"]["projection"] == "its own"
    # too few texts to whiten by, unless told to
    assert found["new"]["projection"] == "none"
    told = desk.call(
        "--set", "encoder.whiten=true", "model", "compare", blurred.name, "tiny", "--json"
    )
    assert json.loads(told.stdout)["new"]["projection"] == "whitened"
    table = desk.call("model", "compare", "tiny", "tiny", "--test", "--fail-unless-better")
    assert table.returncode == 9
    assert "full ranking, test" in table.stdout
    assert "tail items" in table.stdout
    assert "error: tiny is not better than tiny: NDCG@10" in table.stderr
    missing = desk.call("model", "compare", "tiny", "nobody")
    assert missing.returncode == 5
    assert "no bundle 'nobody'" in missing.stderr


TOLD = {
    "training": {
        "settings": {"method": "lora", "rank": 4},
        "data": "0123456789abcdef",
        "method": "lora",
        "pairs": 1234, "users": 56, "items": 7, "steps": 89,
        "trained_parameters": 1000, "parameters": 20000,
        "dev_users": 50, "test_users": 40,
        "frozen_dev": {"hr@10": 0.1, "ndcg@10": 0.01}, "dev": {"hr@10": 0.2, "ndcg@10": 0.02},
        "frozen_test": {"hr@10": 0.3, "ndcg@10": 0.03}, "test": {"hr@10": 0.4, "ndcg@10": 0.04},
        "gain": {"mean": 0.01, "low": -0.002, "high": 0.022},
    }
}  # fmt: skip


def test_show_and_list_tell_the_lineage(desk: Desk) -> None:
    there = desk.store.find("tiny")
    replace(there, origin={**there.origin, **TOLD}).write()
    shown = " ".join(desk.call("model", "show", "tiny").stdout.split())
    assert "lora, 89 steps, 1,000 of 20,000 parameters" in shown
    assert "1,234 pairs of 56 users, 7 items (data 0123456789abcdef)" in shown
    assert "method = lora, rank = 4" in shown
    assert "dev of 50 users hr@10 0.1000 -> 0.2000, ndcg@10 0.0100 -> 0.0200" in shown
    assert "test of 40 users hr@10 0.3000 -> 0.4000, ndcg@10 0.0300 -> 0.0400" in shown
    assert "gain on test ndcg@10 +0.0100 (-0.0020 to +0.0220, 95 %)" in shown
    told = json.loads(desk.call("model", "show", "tiny", "--json").stdout)
    assert told["origin"]["training"] == TOLD["training"]
    listed = desk.call("model", "list").stdout
    assert "lora" in listed
    assert "0.0100 -> 0.0200" in listed


@pytest.mark.parametrize(
    "origin", [{}, {"training": "x", "parity": 1}, {"training": {"dev": 1, "gain": {"mean": "x"}}}]
)
def test_a_lineage_that_says_nothing_is_shown_all_the_same(
    tiny: Bundle, origin: dict[str, object]
) -> None:
    told = replace(tiny, origin=origin)
    assert lineage(told)["fine-tuned"] in ("no", "?, ? steps, ? of ? parameters")
    assert in_short(told) in ((None, None), (None, "? -> ?"))
    assert parity(told) is None
