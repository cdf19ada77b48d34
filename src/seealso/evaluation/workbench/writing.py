"""Writes a folder of what OpenSearch's Search Relevance Workbench imports, for each protocol."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

import orjson
from jinja2 import Environment

from seealso.errors import ConfigError
from seealso.evaluation.metrics import per_user, ranks_in
from seealso.evaluation.protocols import EvaluationProtocol, Holdout
from seealso.evaluation.systems import NOTHING, Lists
from seealso.evaluation.workbench.bodies import (
    Body,
    documents_of,
    index_body,
    judgments,
    query_set,
    query_texts,
    search_configuration,
)
from seealso.folders import write_whole
from seealso.readers import Pseudonyms

MOST_QUERIES: Final = 1000
"""Of a query set, where ``plugins.search_relevance.query_set.maximum`` says nothing else."""

BULK: Final = "lists.ndjson"
INDEX: Final = "index.json"
QUERY_SET: Final = "query_set.json"
JUDGMENTS: Final = "judgments.json"
README: Final = "README.md"


@dataclass(frozen=True)
class Workbench:
    """Writes a folder for each protocol.

    Attributes
    ----------
    folder
        Where to.
    alias
        The index is named after it.
    split
        ``dev`` or ``test``.
    names
        Gives the pseudonyms of users.
    """

    folder: Path
    alias: str
    split: str
    names: Pseudonyms

    def check(self, held: Sequence[Holdout]) -> None:
        """Check that every protocol fits, before anything is ranked.

        Raises
        ------
        ConfigError
            One has more users than a query set may have queries.
        """
        for protocol in (one for holdout in held for one in holdout.protocols):
            if len(protocol.questions) > MOST_QUERIES:
                raise ConfigError(
                    f"{protocol.name}: {len(protocol.questions):,} users, and a query set of the "
                    f"Workbench has at most {MOST_QUERIES:,} queries",
                    hint=f"evaluate some of them, drawn at random: --users {MOST_QUERIES}",
                    field="workbench",
                )

    def write(
        self,
        protocol: EvaluationProtocol,
        lists: Mapping[str, Lists],
        ids: Sequence[str],
        titles: Sequence[str],
    ) -> Path:
        """Write what one protocol asked, and what every system answered.

        Parameters
        ----------
        protocol
            Its questions.
        lists
            What each system answered, by name.
        ids, titles
            Of the items, by their places.

        Returns
        -------
        Path
            The folder.
        """
        folder = self.folder / _slug(protocol.name)
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("search_configuration-*.json"):
            old.unlink()
        queries = query_texts(protocol, self.names)
        index = f"workbench-{self.alias}-{_slug(protocol.name)}"
        title = f"{protocol.name}, {self.split}"
        documents = list(documents_of(queries, lists, ids, titles))
        _write(folder / INDEX, index_body(documents))
        write_whole(folder / BULK, b"".join(map(_line, documents)))
        _write(folder / QUERY_SET, query_set(title, queries))
        _write(folder / JUDGMENTS, judgments(title, protocol, queries, ids))
        for system in lists:
            _write(folder / configuration_file(system), search_configuration(system, title, index))
        guide = _guide(title, index, protocol, lists)
        write_whole(folder / README, guide.encode())
        return folder


def configuration_file(system: str) -> str:
    """Return the name of the file with the search configuration of a system."""
    return f"search_configuration-{_slug(system)}.json"


def _line(document: tuple[str, Body]) -> bytes:
    item_id, body = document
    return orjson.dumps({"index": {"_id": item_id}}) + b"\n" + orjson.dumps(body) + b"\n"


def _write(file: Path, body: Body) -> None:
    write_whole(file, orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _guide(title: str, index: str, protocol: EvaluationProtocol, lists: Mapping[str, Lists]) -> str:
    text = (files("seealso.evaluation.workbench") / "guide.md").read_text(encoding="utf-8")
    # for people who read it as it is: nothing in it is HTML
    template = Environment(keep_trailing_newline=True).from_string(text)  # noqa: S701
    return template.render(title=title, index=index, rows=list(_rows(protocol, lists)))


def _rows(protocol: EvaluationProtocol, lists: Mapping[str, Lists]) -> Iterator[Body]:
    """Yield what this evaluation counts for each system."""
    for system, own in lists.items():
        values = per_user(ranks_in(own, protocol.questions))
        yield {
            "system": system,
            "file": configuration_file(system),
            "at_10": values["ndcg@10"].mean(),
            "at_20": values["ndcg@20"].mean(),
            "empty": int((own.places[:, 0] == NOTHING).sum()),
        }
