"""The tree that values of a field form: which query finds a node and everything below it."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import orjson

from seealso.config import TaxonomySettings
from seealso.decoding import read_text
from seealso.errors import ConfigError, DataError
from seealso.readers.files.sniffing import find_separator

Clause = Mapping[str, Any]

VALUES: Final = 50_000
"""Most values of one clause."""


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """A tree over the values of one field.

    Attributes
    ----------
    field
        The field; None for no tree.
    separator
        Between the nodes of a path, where values are paths.
    children
        Nodes right below each node, from the file.
    """

    field: str | None
    separator: str | None
    children: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, settings: TaxonomySettings) -> "Taxonomy":
        """Return the tree of `settings`.

        Raises
        ------
        ConfigError
            The file cannot be read or is no tree.
        """
        children = {} if settings.path is None else read_tree(settings.path)
        return cls(settings.field, settings.separator, children)

    @property
    def digest(self) -> str:
        """Identifies this tree; empty for a tree without a file."""
        if not self.children:
            return ""
        tree = orjson.dumps(self.children, option=orjson.OPT_SORT_KEYS)
        return blake2b(tree, digest_size=12).hexdigest()

    def clause(self, name: str, values: Sequence[Any]) -> Clause:
        """Return the query for any of `values` of field `name`, or of what lies below them."""
        if name != self.field:
            return terms(name, list(values))
        if self.separator is None:
            return terms(name, self.below(values))
        prefixes = [{"prefix": {name: f"{node}{self.separator}"}} for node in values]
        return any_of([{"terms": {name: list(values)}}, *prefixes])

    def below(self, nodes: Iterable[Any]) -> list[Any]:
        """Return `nodes` and every node below them."""
        found = dict.fromkeys(nodes)
        waiting = list(found)
        while waiting:
            fresh = [one for one in self.children.get(str(waiting.pop()), ()) if one not in found]
            found |= dict.fromkeys(fresh)
            waiting += fresh
        return list(found)

    def covers(self, name: str, node: Any, value: Any) -> bool:
        """Tell whether `value` of field `name` is `node` or lies below it."""
        if node == value or name != self.field:
            return bool(node == value)
        if self.separator is None:
            return value in self.below([node])
        return str(value).startswith(f"{node}{self.separator}")


def terms(name: str, values: Sequence[Any]) -> Clause:
    """Return the query for any of `values`, however many these are.

    One clause takes at most 65,536 (``index.max_terms_count``).
    """
    starts = range(0, len(values), VALUES) if values else (0,)
    return any_of([{"terms": {name: values[start : start + VALUES]}} for start in starts])


def any_of(clauses: Sequence[Clause]) -> Clause:
    """Return the query that any of `clauses` satisfies."""
    if len(clauses) == 1:
        return clauses[0]
    return {"bool": {"should": list(clauses), "minimum_should_match": 1}}


def read_tree(file: Path) -> dict[str, list[str]]:
    """Return the nodes right below each node, from a CSV file with ``node`` and ``parent``.

    Raises
    ------
    ConfigError
        The file cannot be read, a column is missing, or a node is below itself.
    """
    hint = "a CSV file with the columns node and parent; the parent of a root is empty"
    try:
        lines = read_text(file).splitlines(keepends=True)
        separator = find_separator(lines[:200], ("node", "parent"), ",")
        rows = list(csv.DictReader(lines, delimiter=separator))
    except (DataError, csv.Error) as exc:
        raise ConfigError(f"taxonomy.path: {file} cannot be read: {exc}", hint=hint) from exc
    children: dict[str, list[str]] = {}
    for number, row in enumerate(rows, 2):
        node, parent = row.get("node"), row.get("parent")
        if not node or parent is None:
            raise ConfigError(f"{file} line {number}: no node and parent", hint=hint)
        if parent:
            children.setdefault(parent, []).append(node)
    tree = Taxonomy("node", None, children)
    for node, below in children.items():
        if node in tree.below(below):
            raise ConfigError(f"{file}: {node!r} is below itself", hint=hint)
    return children
