"""Runs that are killed or interrupted, at an epoch's end and within one, end as unbroken ones."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from seealso.datasets.dataset import read_dataset
from seealso.encoder.description import MODEL
from seealso.training.backbones.sources import load_backbone
from seealso.training.checkpoints import clear_broken, last_checkpoint
from seealso.training.learning.context import LearningContext, Learnt
from seealso.training.learning.head import learn_head
from seealso.training.learning.run import Interrupted
from seealso.training.learning.texts import learn_texts
from seealso.training.learning.trainer import BundleTrainer
from seealso.training.learning.watching import UNWATCHED
from tests.integration.test_train_learns import METHODS
from tests.training_data import Board, board_events, board_items, events, items, weights

pytestmark = pytest.mark.usefixtures("one_thread")

EPOCH = 18
"""Steps of an epoch."""
RUN = {"epochs": 3, "evaluate_every": 1.0, "patience": 3}


def learn(board: Board, folder: str, stop_after: int | None = None, **training: Any) -> Learnt:
    """Train in this process, asked to stop after some steps or not."""
    settings = board.settings(training={**RUN, **training})
    steps = 0

    def expired() -> bool:
        nonlocal steps
        steps += 1
        return stop_after is not None and steps >= stop_after

    watcher = replace(UNWATCHED, expired=expired)
    study = LearningContext(settings, read_dataset(settings, items, events), watcher)
    backbone = load_backbone(board.backbone, pooling="auto", max_length=16)
    if settings.training.method == "head":
        raw = study.encode(backbone, "frozen")
        return learn_head(study, backbone, raw, board.folder / folder)
    return learn_texts(study, backbone, board.folder / folder)


def check_same(one: Learnt, other: Learnt) -> None:
    assert one.steps == other.steps
    mine, others = (weights(made.backbone) for made in (one, other))
    assert mine.keys() == others.keys()
    assert all(torch.equal(mine[name], others[name]) for name in mine)
    assert (one.raw == other.raw).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_run_in_three_parts_is_one_run(board: Board, method: str) -> None:
    chosen = {
        "method": method,
        **METHODS[method],
        "epochs": 3,
        "batch": 8 if method == "head" else 16,
    }
    whole = learn(board, "whole", **chosen)
    # within the first epoch, and at the end of the second
    per_epoch = whole.steps // 3
    with pytest.raises(Interrupted, match=f"stopped after step {per_epoch // 2}") as caught:
        learn(board, "parts", stop_after=per_epoch // 2, **chosen)
    assert caught.value.exit_code == 130
    with pytest.raises(Interrupted, match=f"stopped after step {2 * per_epoch}"):
        learn(board, "parts", stop_after=2 * per_epoch - per_epoch // 2, **chosen)
    check_same(learn(board, "parts", **chosen), whole)


@pytest.mark.parametrize("changes", [{"accumulate": 2}, {"mini_batch": 4}, {"schedule": "cosine"}])
def test_other_ways_go_on_as_well(board: Board, changes: dict[str, Any]) -> None:
    whole = learn(board, "whole", **changes)
    with pytest.raises(Interrupted):
        learn(board, "parts", stop_after=whole.steps // 3 + 2, **changes)
    check_same(learn(board, "parts", **changes), whole)


def test_patience_goes_on_where_it_was(board: Board) -> None:
    """Nothing is learnt, so nothing gets better: two evaluations without, and it stops."""
    still = {"learning_rate": 1e-12, "epochs": 8, "patience": 2}
    whole = learn(board, "whole", **still)
    assert whole.steps == 3 * EPOCH
    with pytest.raises(Interrupted):
        learn(board, "parts", stop_after=2 * EPOCH + 3, **still)
    check_same(learn(board, "parts", **still), whole)


def test_a_kill_after_the_end_learns_no_more(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = learn(board, "run", patience=1, learning_rate=1e-12)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it had ended")

    monkeypatch.setattr(BundleTrainer, "train", refuse)
    check_same(learn(board, "run", patience=1, learning_rate=1e-12), whole)


def test_what_a_kill_left_half_written_is_cleared(board: Board) -> None:
    with pytest.raises(Interrupted):
        learn(board, "run", stop_after=EPOCH + 2)
    folder = board.folder / "run"
    whole = last_checkpoint(folder)
    assert whole is not None
    without_state, cut, without_weights = (folder / f"checkpoint-{n}" for n in (90, 91, 92))
    for broken in (without_state, cut, without_weights):
        shutil.copytree(whole, broken)
    state = (cut / "trainer_state.json").read_bytes()
    (cut / "trainer_state.json").write_bytes(state[: len(state) // 2])
    (without_state / "trainer_state.json").unlink()
    (without_weights / "learned.safetensors").unlink()
    assert last_checkpoint(folder) == whole
    clear_broken(folder)
    left = sorted(int(place.name.rpartition("-")[2]) for place in folder.glob("checkpoint-*"))
    assert left == [EPOCH, EPOCH + 2]
    check_same(learn(board, "run"), learn(board, "whole"))


def test_other_settings_or_events_begin_anew(board: Board) -> None:
    from seealso.training.train import run_folder

    def place(**changes: Any) -> Path:
        settings = board.settings(**changes)
        return run_folder(settings, read_dataset(settings, items, events))

    same = [place(), place(training={"checkpoint_minutes": 1.0, "most_minutes": 9.0})]
    other = [
        place(training={"epochs": 4}),
        place(training={"seed": 4}),
        place(text={"item": "{{ title }}!"}),
        place(profile={"recency": 0.5}),
        place(importance={"floor": 0.1}),
    ]
    assert len(set(same)) == 1
    assert len({*same, *other}) == 1 + len(other)


LORA = {"method": "lora", "learning_rate": 5e-3, **RUN}
BY_EPOCH = {**LORA, "checkpoint_minutes": 60.0}
BY_STEP = {**LORA, "checkpoint_minutes": 1e-9}


def start(board: Board, training: dict[str, Any]) -> "subprocess.Popen[str]":
    """Start ``seealso train`` in a process of its own."""
    options = [
        f"{section}.{name}={json.dumps(value)}"
        for section, values in board.sections(training=training).items()
        for name, value in values.items()
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "seealso", *(p for one in options for p in ("--set", one)),
         "--json", "train"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "200", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def finish(board: Board, training: dict[str, Any]) -> bytes:
    """Run the command to its end and return the model."""
    process = start(board, training)
    result, complaint = process.communicate(timeout=300)
    assert process.returncode == 0, complaint
    assert json.loads(result)["steps"] == 3 * EPOCH
    return (board.store.folder_of("board") / MODEL).read_bytes()


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The model of a run that nothing disturbed."""
    from tests.bundles import tiny_source

    board = Board(tmp_path_factory.mktemp("unbroken"), tiny_source())
    board.stock(board_items(), board_events())
    return finish(board, LORA)


def wait_for(what: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 240
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def reached(board: Board, step: int) -> bool:
    """Return whether a whole checkpoint of this step, or a later one, is there."""
    whole = [last_checkpoint(folder) for folder in (board.folder / "training").glob("*")]
    return any(one is not None and int(one.name.rpartition("-")[2]) >= step for one in whole)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("training", "step"), [(BY_EPOCH, EPOCH), (BY_STEP, EPOCH + 5)], ids=["epoch", "step"]
)
def test_a_killed_command_goes_on(
    board: Board, unbroken: bytes, training: dict[str, Any], step: int
) -> None:
    process = start(board, training)
    wait_for(lambda: reached(board, step), process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not board.store.folder_of("board").exists()
    assert finish(board, training) == unbroken
    # nothing is left but the bundle
    assert board.checkpoints == []


@pytest.mark.slow
def test_an_interrupted_command_says_how_to_go_on_and_does(board: Board, unbroken: bytes) -> None:
    process = start(board, BY_STEP)
    wait_for(lambda: reached(board, 2), process)
    process.send_signal(signal.SIGINT)
    result, complaint = process.communicate(timeout=120)
    assert (process.returncode, result) == (130, "")
    told = json.loads(complaint.splitlines()[-1])
    assert told["error"] == "Interrupted"
    assert told["message"].startswith("stopped after step")
    assert told["hint"] == "the same command continues from there"
    assert "Traceback" not in complaint
    assert board.checkpoints[-1].name == f"checkpoint-{told['context']['step']}"
    assert finish(board, BY_STEP) == unbroken
