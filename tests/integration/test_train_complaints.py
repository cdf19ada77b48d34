"""What `seealso train` cannot work with: one line that says it, one that says what to do."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from seealso.cli.main import main
from seealso.training.learning.losses import InBatch
from tests.bundles import tiny_source
from tests.integration.catalogues import Record
from tests.integration.complaints import Complaint
from tests.training_data import Board, board_events, board_items

pytestmark = pytest.mark.usefixtures("one_thread")

Refused = Callable[..., Complaint]


def arguments(board: Board, *command: str, **changes: Mapping[str, Any]) -> list[str]:
    options = [
        f"{section}.{name}={json.dumps(value)}"
        for section, values in board.sections(**changes).items()
        for name, value in values.items()
    ]
    return [*(part for one in options for part in ("--set", one)), *command]


def files(folder: Path) -> set[Path]:
    return {place for place in folder.rglob("*") if place.is_file()}


@pytest.fixture
def refused(board: Board, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Run a training that must fail with one error and one hint, and make no bundle."""

    def run(*options: str, **changes: Mapping[str, Any]) -> Complaint:
        before = files(board.folder / "bundles")
        with pytest.raises(SystemExit) as ended:
            main(arguments(board, "train", *options, **changes))
        said = capsys.readouterr()
        errors = [line for line in said.err.splitlines() if line.startswith("error: ")]
        hints = [line for line in said.err.splitlines() if line.startswith(" hint: ")]
        assert (len(errors), len(hints), said.out) == (1, 1, "")
        assert "Traceback" not in said.err
        assert "Warning" not in said.err
        assert files(board.folder / "bundles") == before
        return Complaint(ended.value.code, errors[0][7:], hints[0][7:])

    return run


def of_users(*wanted: str, most: int = 99) -> list[Record]:
    return [e for e in board_events() if e["user_id"] in wanted and e["day"] < most]


def test_one_user_only(board: Board, refused: Refused) -> None:
    board.stock(board_items(), of_users("u00"))
    found = refused()
    assert (found.code, found.error) == (
        3,
        "1 of 1 user chose two items with a text: too little to learn from",
    )
    assert "events.positive" in found.hint


def test_nobody_to_ask(board: Board, refused: Refused) -> None:
    board.stock(board_items(), [e for e in board_events() if e["day"] < 2])
    found = refused()
    assert (found.code, found.error) == (3, "of 24 users none can be asked about in dev")
    assert "at least 3 events" in found.hint


def test_ids_that_name_other_items(board: Board, refused: Refused) -> None:
    renamed = [{**item, "item_id": f"x{item['item_id']}"} for item in board_items()]
    board.stock(renamed, board_events())
    found = refused()
    assert found.error.startswith("0 of 24 users chose two items with a text")
    assert "catalogue.id" in found.hint


def test_no_item_with_a_text(board: Board, refused: Refused) -> None:
    board.stock([{**item, "title": " "} for item in board_items()], board_events())
    found = refused()
    assert (found.code, found.error) == (3, "none of 16 items has a text to learn from")


def test_a_moment_without_times(refused: Refused) -> None:
    found = refused(training={"split": "temporal"}, events={"time": None})
    assert (found.code, "different times" in found.error) == (3, True)
    assert "leave-one-out" in found.hint


@pytest.mark.parametrize("method", ["full", "head"])
def test_a_batch_larger_than_all_pairs(refused: Refused, method: str) -> None:
    found = refused(training={"batch": 5000, "method": method})
    pairs = 288 if method == "full" else 120
    assert (found.code, found.error) == (3, f"{pairs} pairs do not fill one batch of 5000")
    assert "training.batch" in found.hint


@pytest.mark.parametrize(
    "told", ["CUDA out of memory. Tried to allocate 2 GiB", "DefaultCPUAllocator: can't allocate"]
)
def test_out_of_memory_says_which_knob(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    def fail(*_: object, **__: object) -> torch.Tensor:
        raise RuntimeError(told)

    monkeypatch.setattr(InBatch, "forward", fail)
    found = refused()
    assert (found.code, found.error) == (1, "out of memory with 16 pairs encoded at a time")
    assert "training.mini_batch = 4 (same result, less memory)" in found.hint
    assert "training.max_length" in found.hint


def test_another_failure_is_not_taken_for_that(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> torch.Tensor:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(InBatch, "forward", fail)
    with pytest.raises(RuntimeError, match="shapes differ"):
        main(arguments(board, "train"))


@pytest.mark.parametrize("backbone", ["./no-such-folder", "a/b/c"])
def test_a_wrong_backbone(refused: Refused, backbone: str) -> None:
    found = refused(training={"backbone": backbone})
    assert (found.code, found.error) == (5, f"{backbone}: no such model folder")
    assert "config.json" in found.hint


def test_a_folder_without_a_model(board: Board, refused: Refused) -> None:
    found = refused(training={"backbone": str(board.folder)})
    assert found.code == 5
    assert found.error.startswith(f"{board.folder}: cannot be loaded")


def test_half_precision_without_a_gpu(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    # wherever the test runs
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    found = refused(training={"precision": "fp16"})
    assert found.code == 2
    assert found.error == "training.precision: fp16 needs a GPU, and there is none"
    assert "bf16" in found.hint


def test_more_layers_frozen_than_there_are(refused: Refused) -> None:
    found = refused(training={"method": "frozen-layers", "frozen_layers": 2})
    assert found.code == 2
    model = Path(tiny_source()).name
    assert found.error == f"training.frozen_layers: {model} has 2 layers, 2 cannot be frozen"
    assert found.hint == "set it to at most 1"


def test_more_tokens_than_the_model_reads(refused: Refused) -> None:
    found = refused(training={"max_length": 4096})
    assert (found.code, found.error, found.hint) == (
        5,
        "training.max_length 4096: this model reads 4 to 512 tokens",
        "set it to at most 512",
    )


@pytest.mark.parametrize("method", ["full", "head"])
def test_a_model_that_diverges(refused: Refused, method: str) -> None:
    found = refused(training={"learning_rate": 1e30, "method": method, "evaluate_every": 1.0})
    assert (found.code, found.error) == (
        1,
        "the model has diverged: it gives every item the same score",
    )
    assert "training.learning_rate" in found.hint


def test_a_name_that_is_taken(board: Board, refused: Refused) -> None:
    taken = board.folder / "bundles" / "board"
    taken.mkdir(parents=True)
    (taken / "bundle.json").write_text("{}")
    found = refused()
    assert (found.code, found.error) == (5, f"{taken}: already exists")
    assert found.hint == "choose another training.name, or replace it with --force"


@pytest.mark.parametrize("package", ["torch", "sentence_transformers", "datasets"])
def test_without_the_extra(refused: Refused, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    found = refused()
    assert (found.code, found.error) == (4, f"{package} is not installed")
    assert found.hint == "pip install 'seealso[train]'"


def test_a_dry_run_counts_and_writes_nothing(
    board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    without_text = [
        {**item, "title": ""} if n == 3 else item for n, item in enumerate(board_items())
    ]
    board.stock(without_text, board_events())
    before = files(board.folder)
    main(arguments(board, "--json", "train", "--dry-run"))
    planned = json.loads(capsys.readouterr().out)
    assert files(board.folder) == before
    assert (planned["items"], planned["without_text"], planned["users"]) == (15, 1, 24)
    assert (planned["bundle"], planned["method"]) == ("board", "full")
    main(arguments(board, "train", "--dry-run"))
    shown = capsys.readouterr().out
    assert "(1 more has no text)" in shown
    assert "24 users of dev, 22 of test" in shown
