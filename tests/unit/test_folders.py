"""Folders for the time that something takes: those of killed processes go, all others stay."""

import subprocess
import sys
from pathlib import Path

import pytest

from seealso.folders import temporary_folder

HOLD = """
import sys
from pathlib import Path
from seealso.folders import temporary_folder
with temporary_folder("work-", Path(sys.argv[1])) as folder:
    (folder / "file").write_text("x")
    print(folder, flush=True)
    sys.stdin.read()
"""


def hold(place: Path) -> tuple["subprocess.Popen[str]", Path]:
    """Start a process that has a folder; return both."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(place)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_folder_is_there_for_a_while(tmp_path: Path) -> None:
    with temporary_folder("work-", tmp_path) as folder:
        (folder / "file").write_text("x")
        assert [*tmp_path.iterdir()] == [folder]
        assert folder.name.startswith("work-")
        assert folder.stat().st_mode & 0o77 == 0
    assert [*tmp_path.iterdir()] == []


def test_what_became_something_else_stays(tmp_path: Path) -> None:
    with temporary_folder("work-", tmp_path) as folder:
        folder.rename(tmp_path / "result")
    assert [*tmp_path.iterdir()] == [tmp_path / "result"]


def test_what_a_killed_process_left_is_deleted_and_what_a_living_one_has_is_not(
    tmp_path: Path,
) -> None:
    (tmp_path / "others-1").mkdir()
    killed, left = hold(tmp_path)
    living, used = hold(tmp_path)
    try:
        killed.kill()
        killed.communicate(timeout=30)
        assert (left / "file").is_file()
        with temporary_folder("work-", tmp_path) as folder:
            assert {*tmp_path.iterdir()} == {folder, used, tmp_path / "others-1"}
            assert (used / "file").is_file()
    finally:
        living.communicate("", timeout=30)
    assert living.returncode == 0
    assert [*tmp_path.iterdir()] == [tmp_path / "others-1"]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere, place = tmp_path / "elsewhere", tmp_path / "place"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("x")
    place.mkdir()
    (place / "work-link").symlink_to(elsewhere)
    with temporary_folder("work-", place):
        pass
    assert (elsewhere / "file").is_file()
    assert (place / "work-link").is_symlink()


def test_a_place_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), temporary_folder("work-", tmp_path / "none"):
        pass
