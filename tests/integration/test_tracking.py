"""What a training tells its tracker: TensorBoard, Weights & Biases offline, MLflow in a file."""

import importlib.util
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import wandb
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from seealso.datasets.dataset import read_dataset
from seealso.errors import MissingExtraError, SeeAlsoError
from seealso.training import Backbone, load_backbone
from seealso.training.learning.context import LearningContext
from seealso.training.learning.head import learn_head
from seealso.training.tracking.runs import check_tracking, described, run_of
from seealso.training.tracking.trackers import Run, TensorBoard
from seealso.training.train import train
from tests.bundles import tiny_source
from tests.clubs import CLUBS, WORDS, Clubs

# what the trackers do inside themselves is their own affair
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.usefixtures("one_thread"),
]


@pytest.fixture
def clubs(tmp_path):
    return Clubs.found(tmp_path)


@dataclass(frozen=True)
class Learnt:
    """What a head learnt, and the run that a tracker knows; nothing is exported."""

    steps: int
    ndcg: float
    run: Run | None

    @property
    def place(self) -> Path:
        assert self.run is not None
        return Path(self.run.place)


@cache
def backbone() -> Backbone:
    return load_backbone(tiny_source(), pooling="auto", max_length=16)


def learnt(clubs: Clubs, **training: object) -> Learnt:
    settings = clubs.settings(**training)
    dataset = read_dataset(settings, clubs.source.items, clubs.source.events)
    study = LearningContext(settings, dataset)
    frozen = study.encode(backbone(), "encoding")
    folder = settings.training.folder / "run"
    found = learn_head(study, backbone(), frozen, folder)
    run = run_of(folder)
    ndcg = study.rank(None, found.raw, dataset.dev).best["ndcg@10"]
    return Learnt(found.steps, ndcg, run)


def texts_and_ids() -> list[bytes]:
    return [
        *(word.encode() for word in WORDS),
        *(f"c{n}u0".encode() for n in range(CLUBS)),
        b"c0b1",
    ]


def everything_under(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def scalars(folder: Path, tag: str) -> list[tuple[int, float]]:
    events = EventAccumulator(str(folder))
    events.Reload()
    return [(one.step, one.value) for one in events.Scalars(tag)]


def test_tensorboard_has_losses_and_metrics_of_every_evaluation(clubs):
    report = learnt(clubs, epochs=3, patience=9)
    assert report.place.parent == clubs.folder / "training" / "logs"
    metric = scalars(report.place, "dev/ndcg@10")
    assert [step for step, _ in metric] == [report.steps * n // 3 for n in (1, 2, 3)]
    assert max(value for _, value in metric) == pytest.approx(report.ndcg, abs=1e-5)
    assert all(value > 0 for _, value in scalars(report.place, "train/loss"))


def test_the_log_outlives_the_checkpoints_and_is_named_in_the_report(clubs):
    report = train(clubs.settings(), clubs.source.items, clubs.source.events)
    assert report.tracked is not None
    assert scalars(Path(report.tracked), "dev/ndcg@10")
    assert [place.name for place in (clubs.folder / "training").iterdir()] == ["logs"]


def test_a_run_that_goes_on_goes_on_in_its_log(clubs, monkeypatch):
    rank, asked = LearningContext.rank, []

    def failing(self, *args):
        asked.append(args)
        if len(asked) == 2:
            raise OSError("the power failed")
        return rank(self, *args)

    monkeypatch.setattr(LearningContext, "rank", failing)
    with pytest.raises(OSError, match="the power failed"):
        learnt(clubs, epochs=3, patience=9)
    begun = run_of(clubs.folder / "training" / "run")
    report = learnt(clubs, epochs=3, patience=9)
    assert begun is not None
    assert begun == report.run
    steps = [step for step, _ in scalars(report.place, "dev/ndcg@10")]
    assert steps == [report.steps * n // 3 for n in (1, 2, 3)]


def test_a_new_run_has_a_log_of_its_own(clubs):
    first = learnt(clubs)
    shutil.rmtree(clubs.folder / "training" / "run")
    assert learnt(clubs).place != first.place


def test_nothing_is_written_where_nothing_is_tracked(clubs):
    assert learnt(clubs, tracking="none").run is None
    assert not (clubs.folder / "training" / "logs").exists()


@pytest.fixture
def fresh_wandb():
    """It reads its environment once in a process."""
    wandb.teardown()
    yield
    wandb.teardown()


@pytest.mark.usefixtures("fresh_wandb")
def test_wandb_offline_keeps_a_run_for_later(clubs, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    report = learnt(clubs, tracking="wandb")
    (folder,) = report.place.glob("offline-run-*")
    (file,) = folder.glob("run-*.wandb")
    content = file.read_bytes()
    assert b"dev/ndcg@10" in content
    assert b"learning_rate" in everything_under(folder)
    assert not (folder / "files" / "wandb-metadata.json").exists()


@pytest.mark.usefixtures("fresh_wandb")
def test_wandb_without_login_says_what_to_do(clubs, monkeypatch, tmp_path):
    for name in ("WANDB_MODE", "WANDB_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with pytest.raises(SeeAlsoError, match="Weights & Biases") as caught:
        learnt(clubs, tracking="wandb")
    assert "WANDB_MODE=offline" in caught.value.hint


@pytest.mark.filterwarnings("ignore")
def test_mlflow_writes_to_a_file(clubs, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "")
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY")
    report = learnt(clubs, tracking="mlflow")
    # it reports nothing to its maker
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    file = clubs.folder / "training" / "logs" / "mlflow.db"
    assert report.run is not None
    assert report.run.place == f"sqlite:///{file}"
    with closing(sqlite3.connect(file)) as found:
        metrics = dict(found.execute("select key, max(value) from metrics group by key"))
        params = dict(found.execute("select key, value from params"))
        assert found.execute("select status from runs").fetchall() == [("FINISHED",)]
    assert metrics["dev/ndcg_at_10"] == pytest.approx(report.ndcg)
    assert params["method"] == "head"


@pytest.mark.filterwarnings("ignore")
def test_mlflow_that_cannot_be_reached_ends_with_one_line(clubs, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(SeeAlsoError, match=r"MLflow at http://127\.0\.0\.1:9: ") as caught:
        learnt(clubs, tracking="mlflow")
    assert "\n" not in caught.value.message


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("tracker", ["tensorboard", "wandb", "mlflow"])
def test_no_text_and_no_id_is_sent(clubs, monkeypatch, tracker):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    learnt(clubs, tracking=tracker)
    wandb.teardown()
    sent = everything_under(clubs.folder / "training" / "logs")
    assert b"ndcg" in sent
    assert not [word for word in texts_and_ids() if word in sent]


def test_no_folder_of_this_machine_is_sent(clubs):
    sent = described(clubs.settings(teacher="/models/large").training)
    assert (sent["backbone"], sent["teacher"]) == (Path(tiny_source()).name, "large")
    assert "folder" not in sent


def test_a_tracker_that_breaks_ends_no_training(clubs, monkeypatch, capsys):
    def full(self, numbers, step):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(TensorBoard, "write", full)
    assert learnt(clubs).steps > 0
    assert capsys.readouterr().err.count("tracking stopped: ") == 1


@pytest.mark.parametrize(
    ("tracker", "extra"), [("tensorboard", "train"), ("wandb", "track"), ("mlflow", "track")]
)
def test_a_missing_package_names_its_extra(clubs, monkeypatch, tracker, extra):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *_: None if name == tracker else find(name)
    )
    with pytest.raises(MissingExtraError) as caught:
        check_tracking(clubs.settings(tracking=tracker).training)
    assert caught.value.hint == f"pip install 'seealso[{extra}]'"
