"""Make catalogue and events of playlists from the raw files.

    python examples/music/prepare.py FROM TO

FROM holds ``songs.tsv.gz``, ``playlists.tsv.gz`` and ``inter.tsv.gz``; TO gets ``songs.csv``,
``playlists.csv`` and ``memberships.csv``. A playlist stands for a user.
"""

import sys
from pathlib import Path

import polars as pl

LEAST = 3
"""Playlists that a song is in, at least. All 38,553 songs take seven times as long to read."""


def table(file: Path) -> pl.DataFrame:
    """Return the rows of a tab-separated file as texts."""
    return pl.read_csv(file, separator="\t", quote_char=None, infer_schema_length=0)


def main() -> None:
    """Read FROM, write TO."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    songs, playlists = table(source / "songs.tsv.gz"), table(source / "playlists.tsv.gz")
    memberships = table(source / "inter.tsv.gz")
    # the file's order is the playlist's own, and the one that events without a time are read in
    often = pl.col("playlist_id").n_unique().over("song_id") >= LEAST
    known = pl.col("song_id").is_in(songs["song_id"].implode())
    memberships = memberships.filter(known & often).select("playlist_id", "song_id")
    songs = songs.filter(pl.col("song_id").is_in(memberships["song_id"].implode()))
    songs = songs.select("song_id", pl.col("name").alias("title"), "name", "artists")
    labels = pl.col("labels").str.replace_all(" ", "|")
    playlists = playlists.select("playlist_id", "title", labels)
    songs.write_csv(target / "songs.csv")
    playlists.write_csv(target / "playlists.csv")
    memberships.write_csv(target / "memberships.csv")
    print(f"{songs.height:,} songs in {LEAST} playlists or more, {playlists.height:,} playlists")


if __name__ == "__main__":
    main()
