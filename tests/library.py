"""A small library as a folder: settings, catalogue and events, and an index of its own.

Sixty books. b0 to b39 were rated; b40 to b59 were not, so they are the tail; b59 has no text
and so no vector. Titles hold what breaks careless code: quotes, braces, Chinese, brackets.
"""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from seealso.cluster import Cluster, fetch
from seealso.config import Settings, load_settings
from seealso.encoder import Bundle
from seealso.indexer.build import build
from seealso.indexer.build_report import BuildReport
from seealso.indexer.inputs import inputs, row_source
from seealso.plugin import Recommender
from seealso.readers import Histories, Problems, read_events
from seealso.types import Vector

BOOKS = 60
RATED = 40
TEXTLESS = "b59"
PLACES = ("harbour", "desert", "castle", "railway", "island", "forest", "village", "moon")
KINDS = ("romance", "thriller", "western", "fantasy", "poetry")
ODD = {
    "b3": 'The "quoted" harbour',
    "b4": "A {{x}} desert of {{{braces}}}",
    "b5": "[bold]brackets[/bold] \\ castle",
    "b40": "无线鼠标与键盘",
    "b41": "红楼梦 castle",
    "b42": 'Never read: a "harbour" {{y}}',
}


def title(number: int) -> str:
    item_id = f"b{number}"
    if item_id == TEXTLESS:
        return ""
    plain = f"The {PLACES[number % 8]} {KINDS[number % 5]} number {number}"
    return ODD.get(item_id, plain)


def ratings() -> list[tuple[str, str, float, str]]:
    """Return user, item, rating and day: u0 to u11 like eight books each; `critic` likes none."""
    rows = []
    for user in range(12):
        for step in range(10):
            book = (user * 3 + step * 4) % RATED
            rows.append(
                (f"u{user}", f"b{book}", 5.0 if step < 8 else 2.0, f"2024-01-{step + 1:02}")
            )
    return [*rows, ("critic", "b1", 1.0, "2024-01-01"), ("critic", "b2", 2.0, "2024-01-02")]


@dataclass(frozen=True)
class Library:
    """The folder, and the index made of it."""

    folder: Path
    url: str
    alias: str
    bundle: Bundle
    space: str = "cosine"

    @classmethod
    def found(cls, folder: Path, url: str, alias: str, bundle: Bundle, **more: Any) -> "Library":
        """Write the files."""
        made = cls(folder, url, alias, bundle, **more)
        with (folder / "books.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["item_id", "title", "kind", "year"])
            rows.writerows([f"b{n}", title(n), KINDS[n % 5], 1900 + n] for n in range(BOOKS))
        with (folder / "ratings.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["user_id", "item_id", "rating", "day"])
            rows.writerows(ratings())
        made.config.write_text(
            f"""
[catalogue]
path = "books.csv"
text = ["title"]
keywords = ["kind"]
numbers = ["year"]
[events]
path = "ratings.csv"
value = "rating"
time = "day"
positive = 4.0
[text]
item = "{{{{ title }}}}"
[encoder]
bundle = {json.dumps(str(bundle.folder))}
store = {json.dumps(str(folder / "bundles"))}
cache = {json.dumps(str(folder / "vectors.sqlite"))}
threads = 1
whiten = false
[index]
alias = "{alias}"
space = "{made.space}"
[cluster]
url = "{url}"
retries = 1
""",
            encoding="utf-8",
        )
        return made

    @property
    def config(self) -> Path:
        """The settings file."""
        return self.folder / "seealso.toml"

    @cached_property
    def cluster(self) -> Cluster:
        return Cluster(self.url, retries=1)

    @property
    def settings(self) -> Settings:
        return load_settings(self.config)

    def changed(self, **sections: Mapping[str, Any]) -> Settings:
        """Return the settings with some changed."""
        return load_settings(self.config, sections)

    def build(self) -> BuildReport:
        """Build the index."""
        return build(self.cluster, self.settings, inputs(self.settings, None, Problems("stop")))

    @cached_property
    def histories(self) -> Histories:
        source = row_source(self.settings, "events", None)
        assert source is not None
        frames = read_events(source, self.settings.events, Problems("stop"))
        return Histories.from_events(frames, positive=self.settings.events.positive)

    def recommender(self, **sections: Mapping[str, Any]) -> Recommender:
        return Recommender(self.cluster, self.changed(**sections), self.histories)

    @cached_property
    def documents(self) -> dict[str, dict[str, Any]]:
        """Every document of the live index."""
        ids = [f"b{n}" for n in range(BOOKS)]
        fields = ["vector", "importance", "tail", "text"]
        return {
            i: h["_source"] for i, h in fetch(self.cluster, self.alias, ids, source=fields).items()
        }

    def vector(self, item_id: str) -> Vector:
        """Return E_i in double precision."""
        stored = np.array(self.documents[item_id]["vector"], dtype=np.float64)
        return stored / np.linalg.norm(stored)

    def close(self) -> None:
        """Delete the indices."""
        self.cluster.request("DELETE", f"/{self.alias}-*", params={"expand_wildcards": "all"})
        self.cluster.close()
