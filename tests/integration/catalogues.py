"""Small shops for the tests of the indexer: catalogue and events on disk, an alias of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seealso.cluster import Cluster, fetch, indices, locks
from seealso.config import Settings, load_settings
from seealso.encoder import Bundle
from seealso.indexer.build import build
from seealso.indexer.build_report import BuildReport
from seealso.indexer.inputs import Inputs, inputs
from seealso.readers import Problems
from seealso.types import Vector

Record = dict[str, Any]
Sections = Mapping[str, Mapping[str, Any]]

KINDS = ("thriller", "romance", "western", "musical", "comedy", "horror", "fantasy", "war")
PLACES = ("harbour", "desert", "castle", "railway", "island", "forest", "city", "ship", "moon")
PEOPLE = ("a sailor", "two sisters", "the widow", "an old judge", "a thief", "her doctor", "a boy")


def films(n: int, *, start: int = 0) -> list[Record]:
    """Return `n` items with different texts."""
    return [
        {
            "item_id": f"f{i}",
            "title": f"{PEOPLE[i % 7]} and the {PLACES[i % 9]} {i}",
            "description": f"A {KINDS[i % 8]} of {PEOPLE[i // 7 % 7]} in a {PLACES[i // 9 % 9]}",
            "kind": KINDS[i % 8],
            "price": 1.0 + i % 50,
        }
        for i in range(start, start + n)
    ]


def views(counts: Mapping[str, int]) -> list[Record]:
    """Return as many events of each item as `counts` says."""
    return [
        {"user_id": f"u{n}", "item_id": item_id} for item_id, k in counts.items() for n in range(k)
    ]


def write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    """Write JSON lines."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@dataclass
class Shop:
    """A catalogue with its own alias, bundle store and vector cache.

    Attributes
    ----------
    folder
        Where its files are.
    url
        The cluster.
    alias
        Used by nobody else.
    bundle
        What it encodes with.
    sections
        Settings beside those that follow from the above.
    """

    folder: Path
    url: str
    alias: str
    bundle: Bundle
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def cluster(self) -> Cluster:
        """A client that gives up soon."""
        return Cluster(self.url, retries=2)

    @property
    def catalogue(self) -> Path:
        """The catalogue's file."""
        return self.folder / "items.jsonl"

    @property
    def events(self) -> Path:
        """The events' file."""
        return self.folder / "events.jsonl"

    @property
    def cache(self) -> Path:
        """The vector cache."""
        return self.folder / "vectors.sqlite"

    def stock(self, items: Iterable[Record], events: Iterable[Record] | None = None) -> None:
        """Write the catalogue, and the events where there are any."""
        write_lines(self.catalogue, items)
        if events is not None:
            write_lines(self.events, events)

    def chosen(self, changes: Sections | None = None) -> dict[str, dict[str, Any]]:
        """Return every setting that differs from its default."""
        whole: dict[str, dict[str, Any]] = {
            "catalogue": {
                "path": str(self.catalogue),
                "text": ["title", "description"],
                "keywords": ["kind"],
                "numbers": ["price"],
            },
            "events": {"path": str(self.events)} if self.events.exists() else {},
            "encoder": {
                "bundle": str(self.bundle.folder),
                "store": str(self.folder / "bundles"),
                "cache": str(self.cache),
                "threads": 1,
                # the model of the tests crowds its vectors too much to tell a few dozen items apart
                "whiten": True,
            },
            "index": {"alias": self.alias},
            "cluster": {"url": self.url, "retries": 0},
        }
        for section, values in [*self.sections.items(), *(changes or {}).items()]:
            whole[section] = {**whole.get(section, {}), **values}
        return whole

    def settings(self, **changes: Mapping[str, Any]) -> Settings:
        """Return the settings, with `changes` by section."""
        return load_settings(None, self.chosen(changes))

    def inputs(self, settings: Settings | None = None) -> Inputs:
        """Return what a build reads."""
        return inputs(settings or self.settings(), self.cluster, Problems("stop"))

    def build(self, *, swap: bool = True, **changes: Mapping[str, Any]) -> BuildReport:
        """Build the index."""
        settings = self.settings(**changes)
        return build(self.cluster, settings, self.inputs(settings), swap=swap)

    def arguments(self, *command: str, **changes: Mapping[str, Any]) -> list[str]:
        """Return the arguments of ``seealso`` that run `command` on this shop."""
        options = [
            f"{section}.{name}={json.dumps(value)}"
            for section, values in self.chosen(changes).items()
            for name, value in values.items()
        ]
        return [*(part for one in options for part in ("--set", one)), *command]

    def start(self, *command: str, **changes: Mapping[str, Any]) -> "subprocess.Popen[str]":
        """Start ``python -m seealso`` with `command` in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "seealso", *self.arguments(*command, **changes)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"COLUMNS": "200"},
        )

    @property
    def live(self) -> str | None:
        """The index behind the alias."""
        return indices.find_live(self.cluster, self.alias)

    @property
    def names(self) -> list[str]:
        """The indices of the alias, oldest first."""
        return [index.name for index in indices.list_indices(self.cluster, self.alias)]

    def documents(self, *ids: str, source: str = "*") -> dict[str, Record]:
        """Return stored documents of the live index by id."""
        found = fetch(self.cluster, self.alias, ids, source=[source])
        return {item_id: hit["_source"] for item_id, hit in found.items()}

    def vector(self, item_id: str) -> Vector:
        """Return the stored vector of one item."""
        return np.array(self.documents(item_id)[item_id]["vector"], dtype=np.float32)

    def clear(self) -> None:
        """Delete the indices of the alias."""
        for name in [*self.names, locks.lock_index_name(self.alias)]:
            indices.delete(self.cluster, name)


OpenShop = Callable[..., Shop]


@pytest.fixture
def open_shop(tmp_path: Path, tiny: Bundle, index_name: str) -> Iterator[OpenShop]:
    """Open shops on a cluster; their indices go when the test ends."""
    opened: list[Shop] = []

    def on(url: str, **sections: dict[str, Any]) -> Shop:
        folder = tmp_path / f"shop{len(opened)}"
        folder.mkdir()
        shop = Shop(folder, url, f"{index_name}-{len(opened)}", tiny, dict(sections))
        opened.append(shop)
        return shop

    yield on
    for shop in opened:
        shop.clear()
