"""`seealso tune` on a few readers: what it tries, what it leaves alone, kills and their sequel."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
import torch
from filelock import FileLock

from seealso.errors import SeeAlsoError
from seealso.training.learning.context import LearningContext
from seealso.training.tuning import tune as tuning
from seealso.training.tuning.journal import journal, open_optimiser
from seealso.training.tuning.report import TuneReport
from seealso.training.tuning.tune import reporting, tune
from tests.clubs import BOOKS, CLUBS, READERS, WORDS, Clubs

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def clubs(tmp_path):
    return Clubs.found(tmp_path, tracking="none")


def tuned(clubs: Clubs, trials: int, minutes: float | None = None, **training) -> TuneReport:
    source = clubs.source
    settings = clubs.settings(**training)
    return tune(settings, source.items, source.events, trials=trials, minutes=minutes)


def folder_of(clubs: Clubs) -> Path:
    (found,) = (clubs.folder / "training").glob("tune-*")
    return found


def command(clubs: Clubs, *more: str) -> list[str]:
    return [sys.executable, "-m", "seealso.cli.main", "--config", str(clubs.config), *more]


# the fixture `one_thread`, for processes of their own
ALONE = {**os.environ, "OMP_NUM_THREADS": "1"}


def run(clubs: Clubs, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(clubs, *more),
        cwd=clubs.folder,
        env=ALONE,
        capture_output=True,
        text=True,
        check=False,
    )


def test_three_trials_with_vectors_encoded_once(clubs, monkeypatch, capsys):
    encode, labels = LearningContext.encode, []

    def counted(self, backbone, label):
        labels.append(label)
        return encode(self, backbone, label)

    monkeypatch.setattr(LearningContext, "encode", counted)
    report = tuned(clubs, 3)
    assert labels == ["encoding, frozen"]
    assert [one.state for one in report.trials] == ["finished"] * 3
    first = next(one for one in report.trials if one.number == 1)
    # the settings as they are
    assert (first.choice["training.batch"], first.choice["training.learning_rate"]) == (16, 1e-3)
    assert report.before == first.value
    assert report.best == max(one.value for one in report.trials) >= report.before
    told = re.findall(r"^trial (\d) of 3: ndcg@10 0\.\d{4}, best", capsys.readouterr().err, re.M)
    assert told == ["1", "2", "3"]
    # checkpoints are gone; a further call has nothing to do
    assert not [place for place in folder_of(clubs).iterdir() if place.is_dir()]
    assert tuned(clubs, 3).trials == report.trials
    assert labels == ["encoding, frozen"]


def test_the_page_needs_no_network_and_names_nobody(clubs):
    report = tuned(clubs, 3)
    page = report.page.read_text(encoding="utf-8")
    assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=", page)
    assert len(re.findall(r'class="plotly-graph-div"', page)) == (4 if report.importances else 0)
    body = page[page.index("<h2>Trials") :]
    assert body.count("<tr") == 4
    assert not [word for word in (*WORDS, "c0u0", "c0b0") if word in body]


def test_what_the_test_users_choose_changes_nothing(clubs):
    def values(report: TuneReport) -> list[tuple[int, float | None]]:
        return sorted((one.number, one.value) for one in report.trials)

    before = values(tuned(clubs, 2))
    readers = ((club, reader) for club in range(CLUBS) for reader in range(READERS))
    clubs.tell({f"c{c}u{r}": f"c{(c + 1) % CLUBS}b{r % BOOKS}" for c, r in readers})
    assert values(tuned(clubs, 2)) == before
    # it was read: other data, another search
    assert len(list((clubs.folder / "training").glob("tune-*"))) == 2


def test_a_killed_search_goes_on(clubs):
    search = ("--set", "training.patience=5", "tune", "--trials", "2")
    killed = subprocess.Popen(
        command(clubs, *search),
        cwd=clubs.folder,
        env=ALONE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 300
        while not _second_trial_has_a_checkpoint(clubs):
            assert killed.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    found = run(clubs, *search, "--json")
    assert found.returncode == 0, found.stderr
    assert "encoding, frozen" not in found.stderr
    assert [one["state"] for one in json.loads(found.stdout)["trials"]] == ["finished"] * 2
    # what the kill broke off was taken up with the same settings, from its checkpoint
    first, broken, again = open_optimiser(folder_of(clubs), 0).trials
    assert [one.state.name for one in (first, broken, again)] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert again.params == broken.params
    assert again.intermediate_values.items() >= broken.intermediate_values.items()


def _second_trial_has_a_checkpoint(clubs: Clubs) -> bool:
    """The settings as they are end after step 20; the second trial learns for longer."""
    training = clubs.folder / "training"
    try:
        states = list(training.glob("tune-*/*/checkpoint-*/trainer_state.json"))
    except FileNotFoundError:  # the search cleared a folder while it was being listed
        return False
    return any(int(file.parent.name.rpartition("-")[2]) > 20 for file in states)


def test_a_search_out_of_time_goes_on_where_it_was(clubs):
    with pytest.raises(SeeAlsoError, match="no trial was finished in 1e-06 minutes") as caught:
        tuned(clubs, 2, minutes=1e-6)
    assert "continues" in caught.value.hint
    assert len(tuned(clubs, 2).trials) == 2


def test_time_that_ends_within_a_trial_leaves_it_to_the_next_call(clubs, monkeypatch):
    settings = clubs.settings()
    monkeypatch.setattr(tuning.Search, "expired", _after(12))
    with pytest.raises(SeeAlsoError, match="no trial was finished"):
        tuned(clubs, 1, minutes=60)
    assert (
        max(int(kept.name.rpartition("-")[2]) for kept in folder_of(clubs).glob("*/checkpoint-*"))
        == 12
    )
    monkeypatch.undo()
    report = tuned(clubs, 1)
    assert report.trials[0].choice["training.epochs"] == settings.training.epochs


def _after(asked: int):
    calls = iter(range(asked))

    def expired(_search: tuning.Search) -> bool:
        return next(calls, None) is None

    return expired


def test_a_half_written_line_is_cut_off(clubs):
    report = tuned(clubs, 1)
    file = journal(folder_of(clubs))
    file.write_bytes(file.read_bytes() + b'{"op_code":4,"wor')
    assert len(tuned(clubs, 2).trials) == 2
    assert report.trials[0] in tuned(clubs, 2).trials


def test_a_trial_that_fails_is_passed_over(clubs, monkeypatch, capsys):
    learn, calls = tuning.learn_head, []

    def failing(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise SeeAlsoError("out of memory with training.batch = 2048")
        return learn(*arguments)

    monkeypatch.setattr(tuning, "learn_head", failing)
    report = tuned(clubs, 3)
    assert [one.state for one in report.trials] == ["finished", "finished", "failed"]
    assert "failed: out of memory with training.batch = 2048" in capsys.readouterr().err


def test_settings_that_fail_as_they_are_end_the_search(clubs):
    with pytest.raises(SeeAlsoError, match="do not fill one batch of 5000"):
        tuned(clubs, 3, batch=5000)


def test_two_searches_do_not_write_to_one_file(clubs):
    tuned(clubs, 1)
    with FileLock(folder_of(clubs) / "tune.lock"), pytest.raises(SeeAlsoError, match="is running"):
        tuned(clubs, 1)


def test_a_trial_worse_than_most_is_given_up(clubs):
    study = optuna.create_study(
        direction="maximize", pruner=optuna.pruners.MedianPruner(n_startup_trials=4)
    )
    settings = clubs.settings(evaluate_every=0.5)
    for _ in range(4):
        good = study.ask()
        tell = reporting(good, settings)
        for epochs in (0.5, 1.0, 1.5):
            tell(epochs, 0.4)
        study.tell(good, 0.4)
    assert sorted(study.trials[0].intermediate_values) == [1, 2, 3]
    bad = study.ask()
    with pytest.raises(optuna.TrialPruned):
        reporting(bad, settings)(0.5, 0.1)
    reporting(study.ask(), settings)(0.5, 0.5)


def test_every_trial_starts_from_the_same_backbone(clubs, monkeypatch):
    load, loaded = tuning.load_checked, []

    def kept(*arguments, **more):
        backbone = load(*arguments, **more)
        before = {name: one.clone() for name, one in backbone.model.state_dict().items()}
        loaded.append((backbone, before))
        return backbone

    monkeypatch.setattr(tuning, "load_checked", kept)
    report = tuned(clubs, 2, method="lora", most_pairs=64, epochs=1)
    ((backbone, before),) = loaded
    after = backbone.model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(values, after[name]) for name, values in before.items())
    assert {"training.rank", "training.window"} <= set(report.choice)


def test_dry_run_writes_nothing(clubs):
    found = run(clubs, "tune", "--dry-run", "--json")
    assert found.returncode == 0, found.stderr
    plan = json.loads(found.stdout)
    assert (plan["finished"], plan["dev_users"]) == (0, CLUBS * READERS)
    assert plan["space"]["training.learning_rate"] == "0.0001 to 0.03 (log)"
    assert not (clubs.folder / "training").exists()


def test_the_best_settings_are_written_where_they_count(clubs):
    local = clubs.folder / "seealso.local.toml"
    found = run(clubs, "tune", "--trials", "2", "--write")
    assert found.returncode == 0, found.stderr
    assert local.read_text(encoding="utf-8").strip() in found.stdout
    again = run(clubs, "tune", "--trials", "2", "--write")
    assert again.returncode == 2
    assert "seealso.local.toml: already exists" in again.stderr


def test_without_optuna_the_extra_is_named(clubs):
    code = (
        "import importlib.util as u, sys; find = u.find_spec\n"
        "u.find_spec = lambda name, *_: None if name == 'optuna' else find(name)\n"
        "from seealso.cli.main import main\n"
        f"main(['--config', {str(clubs.config)!r}, 'tune'])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.returncode == 4
    assert "pip install 'seealso[tune]'" in found.stderr
