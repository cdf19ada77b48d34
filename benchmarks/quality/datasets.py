"""Brings public data sets, as they are published, into the files that ``seealso.toml`` names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from seealso.config import Settings, load_settings

_HERE = Path(__file__).parent
_MOVIELENS = Path("examples/ml-latest-small/seealso.toml")


@dataclass(frozen=True)
class DataSet:
    """One data set.

    Attributes
    ----------
    title
        Its name for people.
    settings_file
        What its columns mean and how it is trained.
    convert
        Writes ``items.csv`` and ``events.csv`` from the published files to a folder.
    """

    title: str
    settings_file: Path
    convert: Callable[[Path, Path], None] | None

    def settings(self, source: Path | None, work: Path, changes: Mapping[str, object]) -> Settings:
        """Return the settings for the data in `source`, converted below `work`."""
        sections: dict[str, dict[str, object]] = {
            "training": {"name": "tuned", **changes, "folder": work / "training"},
            "encoder": {"store": work / "bundles"},
        }
        if self.convert is not None:
            if source is None:
                raise SystemExit(f"{self.title}: say with --from where its files are")
            work.mkdir(parents=True, exist_ok=True)
            self.convert(source, work)
            sections["catalogue"] = {"path": work / "items.csv"}
            sections["events"] = {"path": work / "events.csv"}
        return load_settings(self.settings_file, sections)


def games(source: Path, work: Path) -> None:
    """Amazon Video Games as RecBole's atomic files: titles, and each user's whole sequence."""
    items = _table(source / "Games.item.gz")
    items.select(
        pl.col("item_id:token").alias("item_id"), pl.col("title:token_seq").alias("title")
    ).write_csv(work / "items.csv")
    rows = _table(source / "Games-6k.test.inter.gz")
    sequences = rows.select(
        pl.col("user_id:token").alias("user_id"),
        pl.concat_str("item_id_list:token_seq", "item_id:token", separator=" ")
        .str.split(" ")
        .alias("item_id"),
    )
    # the order of a sequence is all that is published of its times
    sequences.explode("item_id").write_csv(work / "events.csv")


def ml100k(source: Path, work: Path) -> None:
    """MovieLens 100K as RecBole's atomic files, with descriptions of most films."""
    films = _table(source / "ml-100k.item").select(
        pl.col("item_id:token").alias("item_id"),
        pl.col("movie_title:token_seq").alias("title"),
        pl.col("release_year:token").alias("year"),
        pl.col("class:token_seq").alias("genres"),
    )
    told = pl.read_ndjson(source / "descriptions.jsonl.gz").select(
        "item_id", pl.col("text").alias("description")
    )
    films.join(told, on="item_id", how="left").write_csv(work / "items.csv")
    _table(source / "ml-100k.inter").select(
        pl.col("user_id:token").alias("user_id"),
        pl.col("item_id:token").alias("item_id"),
        pl.col("rating:float").alias("rating"),
        pl.col("timestamp:float").cast(pl.Float64).cast(pl.Int64).alias("timestamp"),
    ).write_csv(work / "events.csv")


def netease(source: Path, work: Path) -> None:
    """NetEase playlists: songs with artists; a playlist is a user, its order the time."""
    songs = _table(source / "songs.tsv.gz")
    songs.select(
        pl.col("song_id").alias("item_id"),
        pl.col("name").alias("title"),
        pl.col("artists").alias("artist"),
    ).write_csv(work / "items.csv")
    members = _table(source / "inter.tsv.gz").sort("playlist_id", pl.col("position").cast(pl.Int64))
    members.select(
        pl.col("playlist_id").alias("user_id"), pl.col("song_id").alias("item_id")
    ).write_csv(work / "events.csv")


def _table(file: Path) -> pl.DataFrame:
    return pl.read_csv(file, separator="\t", quote_char=None, infer_schema=False)


DATA_SETS: Mapping[str, DataSet] = {
    "movielens": DataSet("MovieLens latest-small", _MOVIELENS, None),
    "ml100k": DataSet("MovieLens 100K", _HERE / "ml100k.toml", ml100k),
    "games": DataSet("Amazon Video Games 2018", _HERE / "games.toml", games),
    "netease": DataSet("NetEase playlists (Chinese)", _HERE / "netease.toml", netease),
}
