"""A file that is followed loses no line, however it is rotated and whoever was away meanwhile."""

import gzip
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import settings as drawn
from hypothesis import strategies as st

from seealso.readers import Batch, GrowingFile
from seealso.readers.live.rotation import find_rotated

Position = dict[str, object]


def write(path: Path, *numbers: int) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.writelines(json.dumps({"n": n}) + "\n" for n in numbers)


class Follower:
    """Follows a file, and can be stopped and started again from its position."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.read: list[int] = []
        self.position: Position | None = None
        self._batches: Iterator[Batch] | None = None

    def look(self, empty: int = 3) -> list[int]:
        """Read until nothing came some times in a row."""
        if self._batches is None:
            self._batches = GrowingFile(self.path, 2, 0.0).follow(self.position)
        while empty:
            batch = next(self._batches)
            if batch.rows is None:
                empty -= 1
                continue
            self.read += batch.rows.frame["n"].to_list()
            self.position = dict(batch.position or {})
        return self.read

    def stop(self) -> None:
        self._batches = None


@pytest.fixture
def followed(tmp_path: Path) -> Follower:
    file = tmp_path / "log.jsonl"
    write(file, 1)
    follower = Follower(file)
    assert follower.look() == [1]
    return follower


def renamed(path: Path, to: str = "log.jsonl.1") -> None:
    path.rename(path.with_name(to))


def test_rename_and_create(followed: Follower) -> None:
    write(followed.path, 2, 3)
    renamed(followed.path)
    write(followed.path, 4)
    assert followed.look() == [1, 2, 3, 4]


def test_who_writes_may_hold_the_old_file_a_while(followed: Follower) -> None:
    renamed(followed.path)
    followed.path.touch()
    write(followed.path.with_name("log.jsonl.1"), 2)
    assert followed.look() == [1, 2]
    write(followed.path.with_name("log.jsonl.1"), 3)
    write(followed.path, 4)
    assert followed.look() == [1, 2, 3, 4]


def test_copy_and_cut(followed: Follower) -> None:
    write(followed.path, 2, 3)
    shutil.copy(followed.path, followed.path.with_name("log.jsonl.1"))
    # cut, and grown beyond the place by the next look
    followed.path.write_text("")
    write(followed.path, *range(4, 9))
    assert followed.look() == list(range(1, 9))


def test_cut_without_a_copy(followed: Follower, caplog: pytest.LogCaptureFixture) -> None:
    followed.path.write_text("")
    write(followed.path, 7, 8)
    assert followed.look() == [1, 7, 8]
    assert "lines that were not read yet are lost" in caplog.text


@pytest.mark.parametrize("name", ["log.jsonl.1", "log.jsonl-20260131", "log-2026-01-31.jsonl"])
def test_rotated_while_nobody_followed(followed: Follower, name: str) -> None:
    followed.stop()
    write(followed.path, 2, 3)
    renamed(followed.path, name)
    write(followed.path, 4)
    assert followed.look() == [1, 2, 3, 4]


def test_rotated_several_times_and_compressed(followed: Follower) -> None:
    followed.stop()
    write(followed.path, 2)
    packed = followed.path.with_name("log.jsonl.2.gz")
    packed.write_bytes(gzip.compress(followed.path.read_bytes()))
    followed.path.unlink()
    write(followed.path, 3, 4)
    renamed(followed.path)
    write(followed.path, 5)
    assert followed.look() == [1, 2, 3, 4, 5]


def test_the_last_line_of_a_file_that_was_left_needs_no_end(followed: Follower) -> None:
    with followed.path.open("a") as stream:
        stream.write('{"n": 2}')
    assert followed.look() == [1]
    renamed(followed.path)
    write(followed.path, 3)
    assert followed.look() == [1, 2, 3]


def test_other_files_beside_it_are_none_of_its_past(tmp_path: Path) -> None:
    for name in ("log.jsonl.1", "log-20260131.jsonl.gz", "log.jsonl.bak", "log2.jsonl", "log.txt"):
        (tmp_path / name).touch()
    found = {one.path.name for one in find_rotated(tmp_path / "log.jsonl")}
    assert found == {"log.jsonl.1", "log-20260131.jsonl.gz"}


STEPS = st.lists(
    st.sampled_from(["write", "write", "rename", "cut", "look", "stop"]), min_size=4, max_size=20
)


@drawn(max_examples=60)
@example(["cut", "rename", "look", "write", "cut"])
@given(STEPS)
def test_nothing_is_lost_whatever_happens_in_what_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    file = tmp_path_factory.mktemp("rotated") / "log.jsonl"
    write(file, 0)
    follower, written, turns = Follower(file), 0, 0
    # what was rotated before it was first followed is not asked for
    for step in ["look", *steps, "write", "look"]:
        if step == "write":
            written += 1
            write(file, written)
        elif step == "look":
            follower.look()
        elif step == "stop":
            follower.stop()
        else:
            turns += 1
            # a date in the name, as `dateext` gives it: later ones sort behind earlier ones
            kept = file.with_name(f"log.jsonl-2026{turns:04}")
            if step == "rename":
                file.rename(kept)
                file.touch()
            else:
                shutil.copy2(file, kept)
                file.write_text("")
    # a line may come twice where files were read again: events are known by their ids
    assert sorted(set(follower.read)) == list(range(written + 1))


def test_who_goes_on_waits_for_a_file_that_is_being_rotated(followed: Follower) -> None:
    followed.stop()
    write(followed.path, 2)
    renamed(followed.path)
    assert followed.look() == [1]
    write(followed.path, 3)
    assert followed.look() == [1, 2, 3]


def test_a_file_that_is_being_compressed_is_not_read_in_halves(followed: Follower) -> None:
    followed.stop()
    write(followed.path, 2)
    half = gzip.compress(followed.path.read_bytes())[:-9]
    followed.path.with_name("log.jsonl.1.gz").write_bytes(half)
    renamed(followed.path)
    write(followed.path, 3)
    assert followed.look() == [1, 2, 3]
