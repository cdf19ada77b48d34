"""Groups from files of every kind, and one clear line for each fault."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from seealso.config import GroupSettings
from seealso.errors import DataError
from seealso.readers import Problems, read_known_groups

SMITHS = {"smiths": ("ann", "bob"), "team 7": ("cat",)}


def read(path: Path, problems: Problems | None = None, **settings: Any) -> dict[str, Any]:
    chosen = GroupSettings(path=path, **settings)
    return dict(read_known_groups(chosen, problems or Problems("skip")))


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_of_members_in_json_lines(tmp_path: Path) -> None:
    lines = (
        '{"group": "smiths", "members": ["ann", "bob"]}\n{"group": "team 7", "members": "cat"}\n'
    )
    assert read(written(tmp_path / "groups.jsonl", lines)) == SMITHS


def test_a_row_for_each_member(tmp_path: Path) -> None:
    path = written(tmp_path / "g.csv", "team,user\nsmiths,ann\nteam 7,cat\nsmiths,bob\n")
    assert read(path, id="team", members="user") == SMITHS


def test_several_members_in_a_cell(tmp_path: Path) -> None:
    path = written(tmp_path / "g.csv", "group,members\nsmiths,ann| bob\nteam 7,cat\n")
    assert read(path, separator="|") == SMITHS


def test_a_list_of_members_in_parquet(tmp_path: Path) -> None:
    frame = pl.DataFrame({"group": [1, 2], "members": [[10, 11], [12]]})
    frame.write_parquet(tmp_path / "g.parquet")
    assert read(tmp_path / "g.parquet") == {"1": ("10", "11"), "2": ("12",)}


def test_no_file_no_groups() -> None:
    assert read_known_groups(GroupSettings(), Problems("stop")) == {}


FAULTS = [
    (",ann", "group is empty"),
    ("jones,", "members names nobody"),
    ('jones,"[""ann"", ""bob""]"', "members is a list written as text: set groups.separator"),
    (f"jones,{'a' * 600}", "members has more than 512 bytes"),
]


@pytest.mark.parametrize(("row", "fault"), FAULTS)
def test_a_fault_is_one_line(tmp_path: Path, row: str, fault: str) -> None:
    path = written(tmp_path / "g.csv", f"group,members\nsmiths,ann\n{row}\nsmiths,bob\n")
    problems = Problems("skip")
    assert read(path, problems) == {"smiths": ("ann", "bob")}
    assert problems.messages == (f"g.csv line 3: {fault}",)


def test_a_broken_row_stops_where_it_is_to_stop(tmp_path: Path) -> None:
    path = written(tmp_path / "g.csv", "group,members\nsmiths,ann\njones,\n")
    with pytest.raises(DataError, match=r"g\.csv line 3: members names nobody"):
        read(path, Problems("stop"))


def test_no_id_is_of_a_user_and_of_a_group(tmp_path: Path) -> None:
    lines = "group,members\nsmiths,ann\nsmiths,bob\nclan,smiths\nclan,cat\nall,clan\n"
    problems = Problems("skip")
    found = read(written(tmp_path / "g.csv", lines), problems)
    assert found == {"smiths": ("ann", "bob"), "clan": ("cat",)}
    assert problems.messages == (
        "g.csv line 4: members names a group, not a user",
        "g.csv line 6: members names no user, but groups alone",
    )


def test_what_is_odd_but_usable_is_said(tmp_path: Path) -> None:
    problems = Problems("stop")
    found = read(written(tmp_path / "g.csv", "group,members\nsmiths,ann\nsmiths,ann\n"), problems)
    assert found == {"smiths": ("ann",)}
    assert problems.notes == ("g.csv: 1 member is named twice", "g.csv: 1 group has one member")


def test_a_file_without_groups_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"g\.csv has no groups"):
        read(written(tmp_path / "g.csv", "group,members\n"))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"g\.csv has no column 'members'; it has group, user"):
        read(written(tmp_path / "g.csv", "group,user\nsmiths,ann\n"))
