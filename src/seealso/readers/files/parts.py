"""Finds the files that a path names: one file, the parts in a folder, or those of a pattern."""

import glob
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from seealso.errors import DataError

PACKINGS: Final = (".gz", ".bz2", ".xz")
"""Extensions of compressed files."""

_OTHER_PACKINGS: Final = (".zip", ".zst", ".7z", ".rar", ".tar", ".tgz", ".z", ".lz4", ".sz", ".br")

_NO_VALUE: Final = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Part:
    """One file of rows.

    Attributes
    ----------
    path
        Where it is.
    kind
        The extension that says how to read it, in lower case: ``.csv``.
    packing
        The extension of its compression, or nothing.
    name
        What it is called beside the others; empty where it is alone.
    values
        Columns from the names of its folders: ``date=2026-01-01``.
    """

    path: Path
    kind: str
    packing: str = ""
    name: str = ""
    values: Mapping[str, str | None] = field(default_factory=dict)


def find_parts(path: Path, kinds: Collection[str]) -> tuple[list[Part], list[str]]:
    """Return the files of rows that `path` names, sorted by name, and the names of other files.

    Parameters
    ----------
    path
        A file, a folder as Spark writes it, or a pattern (``events-*.csv``).
    kinds
        The extensions of files of rows.

    Raises
    ------
    DataError
        There are none, or of several kinds.
    """
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        return _among(path, path, files, kinds)
    if not path.exists() and glob.has_magic(str(path)):
        root = next(above for above in path.parents if not glob.has_magic(str(above)))
        found = sorted(root.glob(str(path.relative_to(root))))
        files = [
            file
            for one in found
            for file in (sorted(one.rglob("*")) if one.is_dir() else (one,))
            if file.is_file()
        ]
        return _among(path, root, files, kinds)
    return [_part(path, kinds)], []


def _among(
    path: Path, root: Path, files: Iterable[Path], kinds: Collection[str]
) -> tuple[list[Part], list[str]]:
    parts: list[Part] = []
    others: list[str] = []
    for file in dict.fromkeys(files):
        above = file.relative_to(root).parts
        # _SUCCESS, .part-0.csv.crc, _delta_log: what writers leave for themselves
        if any(name.startswith((".", "_")) and "=" not in name for name in above):
            continue
        kind, packing = _kind(file)
        if not file.suffix or kind not in kinds:
            # parts of a folder events.csv may be called part-00000
            kind, packing = _kind(path) if not file.suffix else ("", "")
        if kind in kinds:
            parts.append(Part(file, kind, packing, "/".join(above), _partition(above)))
        else:
            others.append("/".join(above))
    # notes beside data
    if any(part.kind != ".txt" for part in parts):
        others += [part.name for part in parts if part.kind == ".txt"]
        parts = [part for part in parts if part.kind != ".txt"]
    _check(path, parts, kinds)
    return parts, others


def _check(path: Path, parts: Sequence[Part], kinds: Collection[str]) -> None:
    found = sorted({part.kind for part in parts})
    if not found:
        what = "no such file" if glob.has_magic(str(path)) else "no file of rows in this folder"
        raise DataError(
            f"{path}: {what}", hint=f"files end in {', '.join(sorted(kinds))}", file=str(path)
        )
    if len(found) > 1:
        raise DataError(
            f"{path}: holds files of several kinds: {', '.join(found)}",
            hint=f"name the right ones: {path}/*{found[0]}",
            file=str(path),
        )


def _part(path: Path, kinds: Collection[str]) -> Part:
    kind, packing = _kind(path)
    if kind not in kinds and not path.exists():
        raise DataError(f"{path}: no such file", hint="check the path", file=str(path))
    if kind not in kinds:
        raise DataError(
            f"{path.name} has an unknown extension {kind!r}"
            if kind
            else f"{path.name} has no extension",
            hint="unpack it first"
            if kind in _OTHER_PACKINGS
            else f"convert it to {', '.join(kinds)}, or one of these with {' or '.join(PACKINGS)}",
            file=str(path),
        )
    return Part(path, kind, packing)


def _kind(path: Path) -> tuple[str, str]:
    packing = path.suffix.lower()
    if packing in PACKINGS:
        return path.with_suffix("").suffix.lower(), packing
    return packing, ""


def _partition(above: Sequence[str]) -> dict[str, str | None]:
    named = [name.partition("=") for name in above[:-1] if "=" in name]
    return {key: None if value == _NO_VALUE else unquote(value) for key, _, value in named}
