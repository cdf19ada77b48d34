"""Readers in clubs: each club reads its own books, in the same order, so what comes next is known.

Small enough for a model to learn in seconds.
"""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

from seealso.config import Settings, load_settings
from seealso.indexer.inputs import Inputs, inputs
from seealso.readers import Problems
from tests.bundles import tiny_source

CLUBS = 4
BOOKS = 12
READERS = 10
WORDS = ("harbour", "desert", "castle", "railway")


def title(club: int, book: int) -> str:
    """Return a title; readers of a club are known by a word."""
    return f"The {WORDS[club]} of number {book}"


@dataclass(frozen=True)
class Clubs:
    """The folder with settings, catalogue and events."""

    folder: Path

    @classmethod
    def found(cls, folder: Path, **training: object) -> "Clubs":
        """Write the files; `training` goes to its section."""
        made = cls(folder)
        with (folder / "books.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["item_id", "title"])
            rows.writerows(
                [f"c{club}b{book}", title(club, book)]
                for club in range(CLUBS)
                for book in range(BOOKS)
            )
        made.tell({})
        chosen = {
            "backbone": tiny_source(),
            "folder": str(folder / "training"),
            "method": "head",
            "batch": 16,
            "epochs": 2,
            "learning_rate": 1e-3,
            "max_length": 16,
            **training,
        }
        made.config.write_text(
            f"""
[catalogue]
path = "books.csv"
text = ["title"]
[events]
path = "events.csv"
time = "day"
[text]
item = "{{{{ title }}}}"
[encoder]
store = {json.dumps(str(folder / "bundles"))}
[training]
"""
            + "".join(f"{name} = {json.dumps(value)}\n" for name, value in chosen.items()),
            encoding="utf-8",
        )
        return made

    def tell(self, last: dict[str, str]) -> None:
        """Write the events; `last` names another last book of some readers."""
        with (self.folder / "events.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["user_id", "item_id", "day"])
            for club in range(CLUBS):
                for reader in range(READERS):
                    user = f"c{club}u{reader}"
                    books = [f"c{club}b{(reader + step) % BOOKS}" for step in range(7)]
                    books[-1] = last.get(user, books[-1])
                    rows.writerows(
                        [user, book, f"2024-01-{day:02}"] for day, book in enumerate(books, 1)
                    )

    @property
    def config(self) -> Path:
        """The settings file."""
        return self.folder / "seealso.toml"

    def settings(self, **training: object) -> Settings:
        """Return the settings with some of ``[training]`` changed."""
        return load_settings(self.config, {"training": training})

    @property
    def source(self) -> Inputs:
        """Catalogue and events."""
        return inputs(self.settings(), None, Problems("stop"))
