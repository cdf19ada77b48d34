"""The worked examples: each story runs by its own script, and keeps what it promises.

Films and news are the real ones. Games and songs are made here, in the form of the raw files.
"""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from seealso.cluster import Cluster
from seealso.cluster.node import NodeInfo
from seealso.encoder import Bundle
from tests.bundles import ROOT
from tests.films import CACHE

SEEALSO = Path(sys.executable).with_name("seealso")
INDICES = "example-*,shop-games-*"
SHOPPER, OF_THE_WEEK = "23236", "2552"
PLAYLIST, SONG = "9702576219", "210049"


@dataclass(frozen=True)
class Story:
    """What one run of an example printed: each command with what followed it."""

    answers: tuple[tuple[str, str], ...]

    @classmethod
    def told(cls, output: str) -> "Story":
        parts = re.split(r"^\$ ", output, flags=re.MULTILINE)[1:]
        pairs = (part.partition("\n") for part in parts)
        return cls(tuple((command, answer) for command, _, answer in pairs))

    def of(self, *words: str) -> list[str]:
        """Return the answers of the commands that hold all `words`."""
        return [answer for said, answer in self.answers if all(word in said for word in words)]


def rows(answer: str) -> list[list[str]]:
    """Return the rows of a list, split where two blanks or more are; the reasons come after it."""
    lines = (line.strip() for line in answer.partition("because of")[0].splitlines())
    return [re.split(r" {2,}", line) for line in lines if re.match(r"\d+ +\S+ {2,}", line)]


def ids(answer: str) -> list[str]:
    return [row[1] for row in rows(answer)]


@dataclass(frozen=True)
class Folder:
    """A copy of the examples, as of a clone where nothing was run yet."""

    root: Path
    changes: Mapping[str, str]

    def run(self, name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["sh", str(self.root / "examples" / name / "run.sh"), *arguments],
            capture_output=True,
            text=True,
            env=os.environ | {"SEEALSO": str(SEEALSO), "PYTHON": sys.executable} | self.changes,
        )

    def tell(self, name: str, *arguments: str) -> Story:
        done = self.run(name, *arguments)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return Story.told(done.stdout)

    def work(self, name: str) -> Path:
        return self.root / ".seealso" / "examples" / name


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    return tmp_path


def folder(clone: Path, node: NodeInfo, bundle: Bundle, **changes: str) -> Iterator[Folder]:
    yield Folder(
        clone,
        {
            "SEEALSO_CLUSTER__URL": node.url,
            "SEEALSO_ENCODER__BUNDLE": str(bundle.folder),
            "SEEALSO_ENCODER__CACHE": str(CACHE),
            "SEEALSO_USERS_KEY": "a key that only tests have",
            **changes,
        },
    )
    cluster = Cluster(node.url)
    cluster.request("DELETE", f"/{INDICES}")
    cluster.close()


@pytest.fixture
def whole(clone: Path, opensearch_latest: NodeInfo, minilm: Bundle) -> Iterator[Folder]:
    yield from folder(clone, opensearch_latest, minilm)


@pytest.fixture
def small(clone: Path, opensearch: NodeInfo, minilm: Bundle) -> Iterator[Folder]:
    """Too few items to whiten; on each version of OpenSearch."""
    yield from folder(clone, opensearch, minilm, SEEALSO_ENCODER__WHITEN="false")


@pytest.mark.slow
def test_films_for_a_viewer_and_for_a_family(whole: Folder) -> None:
    story = whole.tell("video")
    plain, boosted = story.of("recommend 1")
    assert len(ids(plain)) == 5
    assert "Back to the Future Part III (1990)" in plain
    assert "neighbours" in {row[-1] for row in rows(boosted)}
    (reasons,) = story.of("explain 1 2011")
    *adds, x = (float(number) for number in re.findall(r"^ *([+-]?\d\.\d{4})", reasons, re.M))
    assert sum(adds) == pytest.approx(x, abs=5e-4)
    (neighbours,) = story.of("users neighbours")
    assert all(re.fullmatch(r"[0-9a-f]{12}", row[1]) for row in rows(neighbours))
    ((average,), (fair,)) = (story.of("recommend-group", each) for each in ("average", "fair"))
    # each of the three finds something of their own among the first three films
    assert min(best(fair)) > min(best(average))


def best(answer: str) -> list[float]:
    """Return what each of three members gives to the best of the first three films."""
    every = [[float(number) for number in row[4:7]] for row in rows(answer)]
    assert len(every) == 8
    return [max(column) for column in zip(*every[:3], strict=True)]


@pytest.mark.slow
def test_news_follow_what_is_read(whole: Folder) -> None:
    story = whole.tell("news")
    titles = pl.read_csv(whole.work("news") / "articles.csv", infer_schema_length=0)
    about = dict(titles.select("article_id", "title").iter_rows())
    read = [
        json.loads(one) for one in (whole.work("news") / "reads.jsonl").read_text().split("\n")[:-1]
    ]
    gone = {one["article_id"] for one in read}
    before, after = story.of("recommend ben")
    assert len(gone) == 3
    assert len(ids(after)) == 6
    assert not gone & set(ids(after))
    of_climate = [sum("climate" in about[one].lower() for one in ids(x)) for x in (before, after)]
    assert of_climate[1] > of_climate[0]
    assert not set(ids(after)) <= set(ids(before))
    capped, free = story.of("--words")
    for answer in (before, after, capped):
        sources = Counter(row[2].split(":")[0].split()[-1] for row in rows(answer))
        assert max(sources.values()) <= 2
    assert ids(capped) != ids(free)
    (related,) = story.of("related")
    assert len(ids(related)) == 5
    (forgotten,) = story.of("forget")
    assert "3 of example-news-events" in forgotten
    # somebody who left is new when the story is told again
    again = whole.tell("news").of("recommend ben")
    assert ids(again[0]) == ids(before)
    assert ids(again[1]) == ids(after)


@pytest.mark.slow
def test_a_shop_keeps_its_search_and_makes_it_personal(small: Folder, tmp_path: Path) -> None:
    source = tmp_path / "raw"
    write_games(source)
    story = small.tell("shop", str(source))
    (plain,) = story.of("ask shop-games-v1")
    assert story.of("ask shop-games examples")[0] == plain.partition("\n\n#")[0] + "\n"
    assert "the same 6 hits with the same scores" in story.of("same")[0]
    (personal,) = story.of("shop.py show")
    assert personal.splitlines()[0] != plain.splitlines()[0]
    assert "Nintendo Wii" in personal.splitlines()[0]
    facet = re.search(r"^found .*$", plain, re.M)
    assert facet is not None
    assert facet[0] in personal
    ruled = story.of("--rule")[0]
    assert ids(ruled)[0] == OF_THE_WEEK
    assert "Controller" not in ruled
    assert len(ids(ruled)) == 6
    capped = Counter(row[2] for row in rows(story.of("exposure.caps")[0]))
    assert max(capped.values()) <= 2
    again = small.tell("shop", str(source))
    assert "shop-games already exists" in again.of("shop.py open")[0]
    assert " 0 written" in again.of("attach")[0]
    assert again.of("ask shop-games-v1") == story.of("ask shop-games-v1")
    assert again.of("recommend") == story.of("recommend")


@pytest.mark.slow
def test_songs_for_words_in_chinese(whole: Folder, tmp_path: Path) -> None:
    source = tmp_path / "raw"
    write_songs(source)
    quick = Folder(whole.root, {**whole.changes, "SEEALSO_ENCODER__WHITEN": "false"})
    story = quick.tell("music", str(source))
    kept = pl.read_csv(quick.work("music") / "songs.csv", infer_schema_length=0)
    assert "独一无二" not in kept["title"].to_list()  # in two playlists only
    names = dict(kept.select("song_id", "title").iter_rows())
    for answer in (*story.of("recommend", "--words"), *story.of("related")):
        found = [names[one] for one in ids(answer)]
        assert len(found) == 6
        assert len(set(found)) == 6
        assert all(name in answer for name in found)
    assert SONG not in ids(story.of("related")[0])
    has = pl.read_csv(quick.work("music") / "memberships.csv", infer_schema_length=0)
    own = set(has.filter(pl.col("playlist_id") == PLAYLIST)["song_id"])
    listed = ids(story.of("recommend", PLAYLIST)[0])
    assert listed
    assert not own & set(listed)


@pytest.mark.parametrize(("name", "file"), [("shop", "Games.item.gz"), ("music", "songs.tsv.gz")])
def test_missing_data_are_said_in_one_line(clone: Path, name: str, file: str) -> None:
    for given in ([], [""], [str(clone)]):
        done = Folder(clone, {}).run(name, *given)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr == (
            f"make example-{name} needs FROM=DIR, a folder with {file}: "
            f"see examples/{name}/README.md\n"
        )


def packed(file: Path, *lines: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))


def write_games(target: Path) -> None:
    """Write games of three platforms and controllers, in the form of the raw files."""
    platforms = ("Nintendo Wii", "Nintendo Wii U", "PlayStation 4", "Xbox 360", "PC")
    kinds = ("Party", "Dance Party", "Racing", "Chess", "Farm", "Space &amp; Time", "Controller")
    titles = [
        f"{kind} {number} - {name}" for number in range(3) for kind in kinds for name in platforms
    ]
    items = [f"{number}\t{title}" for number, title in enumerate(titles)]
    items.append(f"{OF_THE_WEEK}\tMario Kart 8 - Nintendo Wii U")
    packed(target / "Games.item.gz", "item_id:token\ttitle:token_seq", *items)
    wii = [n for n, title in enumerate(titles) if title.endswith("Wii")]
    bought = [
        f"{user}\t{' '.join(str((user * 7 + step * 5) % len(titles)) for step in range(6))}\t{user}"
        for user in range(20)
    ]
    bought.append(f"{SHOPPER}\t{' '.join(map(str, wii[:4]))}\t{wii[4]}")
    packed(
        target / "Games-6k.test.inter.gz",
        "user_id:token\titem_id_list:token_seq\titem_id:token",
        *bought,
    )


def write_songs(target: Path) -> None:
    """Write songs, some in several versions, and playlists, in the form of the raw files."""
    words = (
        "夏天",
        "雨天",
        "海边",
        "安静",
        "失恋",
        "晚风",
        "月亮",
        "城市",
        "青春",
        "远方",
        "回忆",
        "你",
    )
    names = [f"{one}的{other}" for one in words for other in words if one != other]
    songs = [f"{number}\t{name}\t歌手{number % 9}|乐队\t90" for number, name in enumerate(names)]
    songs += [f"{1000 + number}\t{name}\t翻唱\t80" for number, name in enumerate(names[:40])]
    songs += [f"{SONG}\t布拉格\t歌手一\t100", "9999\t独一无二\t歌手二\t50"]
    packed(target / "songs.tsv.gz", "song_id\tname\tartists\tpopularity", *songs)
    playlists = [str(number) for number in range(1, 31)] + [PLAYLIST]
    lists = [f"{one}\t歌单 {one}\t华语 流行\t1\t2024-05-07\t9" for one in playlists]
    packed(
        target / "playlists.tsv.gz", "playlist_id\ttitle\tlabels\tcollected\tcreated\tplays", *lists
    )
    every = [song.split("\t")[0] for song in songs]
    pairs = [
        (playlist, song, place)
        for number, playlist in enumerate(playlists)
        for place, song in enumerate(every)
        if (place + number) % 7 == 0 or (song == SONG and number < 5)
    ]
    kept = [(a, b, c) for a, b, c in pairs if b != "9999"]
    kept += [("1", "9999", 900), ("2", "9999", 900)]
    inter = [f"{playlist}\t{song}\t{place}" for playlist, song, place in kept]
    packed(target / "inter.tsv.gz", "playlist_id\tsong_id\tposition", *inter)
