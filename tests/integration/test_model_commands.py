"""``seealso model`` push, pull, compare, list, show as called; and the chain of fine-tune.sh."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from seealso.cli.bundles import in_short, lineage, parity
from seealso.cluster import Cluster
from seealso.cluster.node import NodeInfo
from seealso.config import TextSettings
from seealso.encoder import Bundle, BundleStore, Projection, bind
from seealso.encoder.description import MODEL
from seealso.encoder.transfer import Pull, pull
from tests.bundles import ROOT, tiny_source
from tests.training_data import board_events, board_items

SEEALSO = Path(sys.executable).with_name("seealso")
CHAIN = str(ROOT / "examples" / "fine-tune.sh")


class Desk:
    """A folder with the board, settings and a store, where commands are given."""

    def __init__(self, folder: Path, *, url: str | None = None) -> None:
        self.folder = folder
        self.store = BundleStore(folder / "bundles")
        self.alias = f"board-{uuid4().hex[:8]}"
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
[index]
alias = "{self.alias}"
[training]
method = "head"
backbone = {json.dumps(tiny_source())}
folder = {json.dumps(str(folder / "training"))}
epochs = 60
batch = 64
learning_rate = 1e-2
patience = 60
evaluate_every = 30.0
tracking = "none"
{"" if url is None else f'[cluster]{os.linesep}url = "{url}"'}
""",
            encoding="utf-8",
        )

    def call(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.run(str(SEEALSO), "--config", "seealso.toml", *arguments)

    def run(self, *command: str, **changes: str) -> "subprocess.CompletedProcess[str]":
        known = {"SEEALSO": str(SEEALSO), "PYTHON": sys.executable, "COLUMNS": "200", **changes}
        return subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, env={**os.environ, **known}
        )

    def live(self) -> str:
        """Return the bundle of the live index."""
        found = json.loads(self.call("index", "list", "--json").stdout)
        return next(one["meta"]["bundle"] for one in found if one["live"])


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


@pytest.fixture
def served(tmp_path: Path, tiny: Bundle, opensearch_latest: NodeInfo) -> Iterator[Desk]:
    """A desk whose index is live, made with the tiny BERT."""
    made = Desk(tmp_path, url=opensearch_latest.url)
    pull(Pull(tiny.folder), made.store)
    built = made.call("index", "build")
    assert built.returncode == 0, built.stderr
    yield made
    cluster = Cluster(opensearch_latest.url)
    cluster.request("DELETE", f"/{made.alias}-*", params={"expand_wildcards": "all"})
    cluster.close()


@pytest.mark.slow
def test_the_chain_swaps_to_a_better_model(served: Desk) -> None:
    before = served.live()
    done = served.run(CHAIN, "seealso.toml")
    assert done.returncode == 0, done.stderr
    after = served.live()
    assert before.startswith("tiny-")
    assert after.startswith("tuned-")
    assert f"{after} is better than {before}" in done.stdout
    assert f"swapping: {after} is better" in done.stderr
    origin = served.store.find("tuned").origin
    assert origin["training"]["settings"]["backbone"] == Path(tiny_source()).name
    assert str(served.folder) not in json.dumps(origin)


@pytest.mark.slow
def test_the_chain_leaves_the_live_model_where_the_new_one_is_not_better(served: Desk) -> None:
    before = served.live()
    # the map starts from the whitening that the live index has, and learns next to nothing
    idle = {"TRAINING__LEARNING_RATE": "1e-12", "TRAINING__EPOCHS": "1", "ENCODER__WHITEN": "false"}
    done = served.run(CHAIN, "seealso.toml", **{f"SEEALSO_{name}": idle[name] for name in idle})
    assert done.returncode == 0, done.stderr
    assert f"not swapping: {before} stays live" in done.stderr
    listed = json.loads(served.call("index", "list", "--json").stdout)
    assert [one["live"] for one in listed] == [True, False]
    assert listed[0]["meta"]["bundle"] == before


@pytest.mark.slow
def test_the_chain_stops_where_a_step_fails(served: Desk) -> None:
    before = served.live()
    (served.folder / "events.jsonl").write_text("")
    done = served.run(CHAIN, "seealso.toml")
    assert done.returncode not in (0, 9)
    assert served.live() == before
