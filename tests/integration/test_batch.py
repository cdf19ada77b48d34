"""Lists for many users: a file in, a file out, the same lists as one by one, resumable."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from seealso.cluster.node import NodeInfo
from seealso.encoder import Bundle
from seealso.errors import DataError
from seealso.plugin import RecommendationList, Recommender
from seealso.plugin.batch import BatchReport, recommend_file
from seealso.plugin.batch.users_file import USERS_AT_ONCE, read_users
from seealso.plugin.ranking.options import RecommendOptions
from seealso.types import User
from tests.integration.libraries import opened
from tests.library import Library

MANY = 1000
A_MINUTE = 1000


@pytest.fixture(scope="module")
def library(
    opensearch_latest: NodeInfo, tiny: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Library]:
    yield from opened(opensearch_latest, tiny, tmp_path_factory)


def run(
    recommender: Recommender, users: Path, out: Path, ticks: list[int] | None = None
) -> BatchReport:
    options = RecommendOptions(fields=())
    return recommend_file(recommender, users, out, options, (ticks or []).append)


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def compare(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    """Require the same lists; the index rounds otherwise than what ranks many users."""
    for one, other in zip(found, expected, strict=True):
        for item, there in zip(one["items"], other["items"], strict=True):
            assert item.pop("probability") == pytest.approx(there.pop("probability"), abs=1e-6)
        assert one == other


def people(folder: Path, count: int) -> Path:
    file = folder / "users.txt"
    file.write_text("".join(f"u{n % 12}\n" for n in range(count)), encoding="utf-8")
    return file


def test_a_batch_is_the_lists_one_by_one_in_order(recommender: Recommender, tmp_path: Path) -> None:
    users = tmp_path / "users.jsonl"
    users.write_text(
        "\ufeffu1\n"
        '{"user_id": "u2", "words": "a \\"castle\\" {{x}} 无线"}\n'
        "\n"
        "nobody\r\n"
        '{"history": ["b1", "b2"]}\n'
        '{"attributes": {"likes": "poetry"}}\n',
        encoding="utf-8",
    )
    out = tmp_path / "new" / "lists.jsonl"
    report = run(recommender, users, out)
    assert (report.users, report.resumed, report.out) == (5, 0, str(out))
    expected = [
        recommender.recommend("u1"),
        recommender.recommend("u2", words='a "castle" {{x}} 无线'),
        recommender.recommend("nobody"),
        recommender.recommend(history=["b1", "b2"]),
        recommender.recommend(attributes={"likes": "poetry"}),
    ]
    found = lines(out)
    assert [line["user_id"] for line in found] == ["u1", "u2", "nobody", None, None]
    for line, one in zip(found, expected, strict=True):
        assert [item["item_id"] for item in line["items"]] == one.ids
        assert [item["source"] for item in line["items"]] == [i.source.value for i in one]
        assert [item["probability"] for item in line["items"]] == pytest.approx(
            [i.probability for i in one], abs=1e-6
        )
        assert line.get("note", "") == one.note
    assert not out.with_name("lists.jsonl.part").exists()


def test_several_requests_keep_the_order_and_tell_the_progress(
    recommender: Recommender, tmp_path: Path
) -> None:
    count = 3 * USERS_AT_ONCE + 5
    ticks: list[int] = [0]
    out = tmp_path / "out.jsonl"
    assert run(recommender, people(tmp_path, count), out, ticks).users == count
    assert sum(ticks) == count
    assert [line["user_id"] for line in lines(out)] == [f"u{n % 12}" for n in range(count)]


def test_a_thousand_users_take_less_than_a_minute(recommender: Recommender, tmp_path: Path) -> None:
    users, out = people(tmp_path, MANY), tmp_path / "out.jsonl"
    started = time.perf_counter()
    run(recommender, users, out)
    assert MANY / (time.perf_counter() - started) > A_MINUTE / 60
    assert len(lines(out)) == MANY


class Watched(Recommender):
    """Remembers how many users were handed over and not yet answered for."""

    def __init__(self, library: Library) -> None:
        super().__init__(library.cluster, library.settings, library.histories)
        self.read = self.written = self.most = 0

    def known(self, user_ids: Collection[str]) -> Mapping[str, User]:
        self.read += len(user_ids)
        self.most = max(self.most, self.read - self.written)
        return super().known(user_ids)

    def answered(self, users: int) -> None:
        self.written += users


def test_users_are_read_no_faster_than_lists_are_written(library: Library, tmp_path: Path) -> None:
    watched = Watched(library)
    options = RecommendOptions(fields=())
    recommend_file(watched, people(tmp_path, 600), tmp_path / "o", options, watched.answered)
    assert watched.read == watched.written == 600
    assert watched.most <= 4 * USERS_AT_ONCE


class Dying(Recommender):
    """Gives up after some requests, as a crash would."""

    def __init__(self, library: Library, requests: int, **sections: Any) -> None:
        super().__init__(library.cluster, library.changed(**sections), library.histories)
        self.left = requests

    def recommend_many(self, *args: Any, **kwargs: Any) -> list[RecommendationList]:
        self.left -= 1
        if self.left < 0:
            raise MemoryError
        return super().recommend_many(*args, **kwargs)


def interrupted(library: Library, users: Path, out: Path, **sections: Any) -> Path:
    with pytest.raises(MemoryError):
        run(Dying(library, 3, **sections), users, out)
    return out.with_name(out.name + ".part")


def test_a_run_that_ended_early_goes_on(
    library: Library, recommender: Recommender, tmp_path: Path
) -> None:
    users, out = people(tmp_path, 300), tmp_path / "out.jsonl"
    part = interrupted(library, users, out)
    assert not out.exists()
    done = len(lines(part))
    assert 0 < done < 300
    with part.open("ab") as cut:
        cut.write(b'{"user_id": "half a li')
    report = run(recommender, users, out)
    assert (report.users, report.resumed) == (300, done)
    whole = tmp_path / "whole.jsonl"
    run(recommender, users, whole)
    assert [line["user_id"] for line in lines(out)] == [line["user_id"] for line in lines(whole)]
    assert [[i["item_id"] for i in line["items"]] for line in lines(out)] == [
        [i["item_id"] for i in line["items"]] for line in lines(whole)
    ]


def test_lists_of_an_earlier_run_show_nothing_that_is_blocked_by_now(
    library: Library, tmp_path: Path
) -> None:
    blocked = tmp_path / "blocked.txt"
    blocked.write_text("# nothing yet\n", encoding="utf-8")
    safe = {"safety": {"blocklist": str(blocked)}}
    users, out = people(tmp_path, 300), tmp_path / "out.jsonl"
    part = interrupted(library, users, out, **safe)
    recalled = lines(part)[0]["items"][0]["item_id"]
    stale = sum(recalled in [i["item_id"] for i in line["items"]] for line in lines(part))
    kept = [line for line in lines(part) if recalled not in [i["item_id"] for i in line["items"]]]
    assert stale
    assert kept
    blocked.write_text(f"{recalled}\n", encoding="utf-8")
    report = run(library.recommender(**safe), users, out)
    assert (report.users, report.renewed) == (300, stale)
    whole = tmp_path / "whole.jsonl"
    run(library.recommender(**safe), users, whole)
    compare(lines(out), lines(whole))
    assert {one.name for one in tmp_path.iterdir()} == {
        "users.txt", "blocked.txt", "out.jsonl", "whole.jsonl",
    }  # fmt: skip


def test_what_is_blocked_while_a_batch_runs_is_in_no_list(library: Library, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked.txt"
    blocked.write_text("", encoding="utf-8")
    recommender = library.recommender(safety={"blocklist": str(blocked)})
    best = recommender.recommend("u1")[0].item_id
    out = tmp_path / "out.jsonl"

    def recall(done: int) -> None:
        if done:
            blocked.write_text(best, encoding="utf-8")

    options = RecommendOptions(fields=())
    report = recommend_file(recommender, people(tmp_path, 300), out, options, recall)
    assert report.renewed
    assert best not in {item["item_id"] for line in lines(out) for item in line["items"]}


def test_what_is_left_of_other_users_is_not_mixed_in(
    library: Library, recommender: Recommender, tmp_path: Path
) -> None:
    users, out = people(tmp_path, 300), tmp_path / "out.jsonl"
    part = interrupted(library, users, out)
    users.write_text("u7\n" * 300, encoding="utf-8")
    with pytest.raises(DataError, match=r"out\.jsonl\.part: is left from a run for other users"):
        run(recommender, users, out)
    assert part.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": 5}, "recommend.size was 10, is 5"),
        ({"path": "ann"}, 'recommend.path was "auto", is "ann"'),
        (
            {"filters": {"term": {"kind": "poetry"}}},
            'filters was [], is [{"term":{"kind":"poetry"}}]',
        ),
        ({"fields": ("title",)}, 'fields was [], is ["title"]'),
    ],
)
def test_what_is_left_of_other_options_is_not_mixed_in(
    library: Library,
    recommender: Recommender,
    tmp_path: Path,
    changes: dict[str, Any],
    said: str,
) -> None:
    users, out = people(tmp_path, 300), tmp_path / "out.jsonl"
    part = interrupted(library, users, out)
    before = part.read_bytes()
    options = RecommendOptions(**{"fields": ()} | changes)
    with pytest.raises(DataError) as caught:
        recommend_file(recommender, users, out, options, [].append)
    assert caught.value.message == f"{part}: is left from a run with other options: {said}"
    assert part.read_bytes() == before
    assert not out.exists()
    # the options that it was begun with still go on, and leave nothing beside the result
    assert run(recommender, users, out).resumed == len(before.splitlines())
    assert {file.name for file in tmp_path.iterdir()} == {"users.txt", "out.jsonl"}


def test_what_another_profile_or_model_left_is_not_mixed_in(
    library: Library, tmp_path: Path
) -> None:
    users, out = people(tmp_path, 300), tmp_path / "out.jsonl"
    part = interrupted(library, users, out)
    with pytest.raises(DataError, match=r"profile\.recency was 0\.8, is 0\.5$"):
        run(library.recommender(profile={"recency": 0.5}), users, out)
    options = part.with_name("out.jsonl.part.options")
    recorded = json.loads(options.read_text())
    assert recorded["fingerprint"] == library.recommender().live.fingerprint
    options.write_text(json.dumps(recorded | {"fingerprint": "of-an-older-model"}))
    with pytest.raises(DataError, match='fingerprint was "of-an-older-model", is "'):
        run(library.recommender(), users, out)


def test_what_is_left_without_its_options_is_not_trusted(library: Library, tmp_path: Path) -> None:
    users, out = people(tmp_path, 300), tmp_path / "out.jsonl"
    part = interrupted(library, users, out)
    part.with_name("out.jsonl.part.options").unlink()
    with pytest.raises(DataError, match="left from a run whose options are not known") as caught:
        run(library.recommender(), users, out)
    assert caught.value.hint == "delete it to start again"


def test_two_runs_do_not_write_the_same_lists(recommender: Recommender, tmp_path: Path) -> None:
    users, out = people(tmp_path, 300), tmp_path / "out.jsonl"
    refused: list[str] = []

    def begin_another(_: int) -> None:
        with pytest.raises(DataError) as caught:
            run(recommender, users, out)
        refused.append(caught.value.message)

    options = RecommendOptions(fields=())
    assert recommend_file(recommender, users, out, options, begin_another).users == 300
    assert set(refused) == {f"{out}.part: another run is writing it"}
    assert [line["user_id"] for line in lines(out)] == [f"u{n % 12}" for n in range(300)]
    # and once it has ended, there is nobody to wait for
    assert run(recommender, users, out).users == 300
    assert {file.name for file in tmp_path.iterdir()} == {"users.txt", "out.jsonl"}


def test_lists_do_not_replace_what_they_are_made_of(library: Library, tmp_path: Path) -> None:
    users, events = people(tmp_path, 3), tmp_path / "events.csv"
    events.write_text("user_id,item_id\n", encoding="utf-8")
    before = users.read_bytes()
    recommender = library.recommender(events={"path": str(events)})
    elsewhere = tmp_path / "link.txt"
    elsewhere.symlink_to(users)
    for out, holds in ((users, "users"), (elsewhere, "users"), (events, "events")):
        with pytest.raises(DataError) as caught:
            run(recommender, users, out)
        assert caught.value.message == f"{out}: holds the {holds}"
    assert users.read_bytes() == before


def test_unknown_users_are_counted(recommender: Recommender, tmp_path: Path) -> None:
    users, out = tmp_path / "users.csv", tmp_path / "out.jsonl"
    users.write_text("user_id,words\nann,warm\nu1\n", encoding="utf-8")
    report = run(recommender, users, out)
    assert (report.users, report.by_importance, report.empty) == (3, 2, 0)
    no_item = RecommendOptions(fields=(), filters={"ids": {"values": ["none"]}})
    report = recommend_file(recommender, users, tmp_path / "none.jsonl", no_item, [].append)
    assert (report.users, report.by_importance, report.empty) == (3, 0, 3)


def test_a_run_that_wrote_no_list_leaves_nothing(recommender: Recommender, tmp_path: Path) -> None:
    users = tmp_path / "users.txt"
    users.write_text('{"user": "u1"}\n', encoding="utf-8")
    with pytest.raises(DataError, match="unknown field user"):
        run(recommender, users, tmp_path / "out.jsonl")
    assert {file.name for file in tmp_path.iterdir()} == {"users.txt"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"user_id": "u1"', "not JSON"),
        (b'{"user": "u1"}', "unknown field user"),
        (b'{"history": "b1,b2"}', "history: must be a list of item ids, not 'b1,b2'"),
        (b'{"attributes": ["a"]}', "attributes: must be values by name"),
        (b'{"words": 3}', "words: must be a text, not 3"),
        (b'{"user_id": [1]}', "user_id: must be an id"),
        (b'{"user_id": " "}', "user_id: must be an id, not ' '"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(
    recommender: Recommender, tmp_path: Path, line: bytes, said: str
) -> None:
    users = tmp_path / "users.txt"
    users.write_bytes(b"u1\n" + line + b"\n")
    with pytest.raises(DataError) as caught:
        list(read_users(users, recommender))
    assert caught.value.message.startswith(f"{users} line 2: {said}")
    assert "\n" not in caught.value.message


def test_ids_may_be_numbers(recommender: Recommender, tmp_path: Path) -> None:
    users = tmp_path / "users.txt"
    users.write_text(
        '17\n{"user_id": 17, "history": [1, 2]}\n17.0\n{"user_id": 17.0}\n{"user_id": " 17.0 "}\n'
        '{"words": "a castle"}\n',
        encoding="utf-8",
    )
    *found, nobody = read_users(users, recommender)
    assert [one.user_id for one in found] == ["17"] * 5
    assert [entry.item_id for entry in found[1].history] == ["1", "2"]
    assert nobody.user_id is None


def command(library: Library, users: Path, out: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "seealso", "--config", str(library.config), "--json",
         "recommend-batch", str(users), str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "200"},
    )  # fmt: skip


def test_a_file_without_users_is_named(library: Library, tmp_path: Path) -> None:
    users, out = tmp_path / "users.txt", tmp_path / "out.jsonl"
    users.write_text("\n \n", encoding="utf-8")
    done = command(library, users, out)
    printed, said = done.communicate(timeout=300)
    assert done.returncode == 0
    assert f"note: {users} names no user: {out} gets no list\n" in said
    assert json.loads(printed)["users"] == 0
    assert out.read_bytes() == b""


def test_a_killed_command_goes_on(library: Library, tmp_path: Path) -> None:
    users, out = people(tmp_path, 20_000), tmp_path / "out.jsonl"
    part = out.with_name("out.jsonl.part")
    first = command(library, users, out)
    deadline = time.monotonic() + 120
    while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
        assert first.poll() is None, first.communicate()
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert first.returncode == -signal.SIGKILL
    done = part.read_bytes().count(b"\n")
    assert 0 < done < 20_000
    # the rest of twenty thousand would take long: a shorter file that begins with the same users
    users.write_text("".join(f"u{n % 12}\n" for n in range(done + 100)), encoding="utf-8")
    second = command(library, users, out)
    printed, said = second.communicate(timeout=300)
    assert second.returncode == 0, said
    report = json.loads(printed)
    counts = {"users": done + 100, "resumed": done, "renewed": 0, "by_importance": 0, "empty": 0}
    assert report == counts | {"out": str(out)}
    assert [line["user_id"] for line in lines(out)] == [f"u{n % 12}" for n in range(done + 100)]
    assert "recommending" in said
