"""Recognises what a file is by its first bytes, where its extension is wrong."""

import re
from typing import Final

import orjson

# first bytes of what people hand over under a wrong name
_SIGNATURES: Final = (
    (b"\x1f\x8b", "gzip"),
    (b"PAR1", "Parquet"),
    (b"PK\x03\x04", "a zip archive or an Excel file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file"),
    (b"BZh9", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x9d", "data of compress (.Z)"),
    (b"Obj\x01", "Avro"),
    (b"%PDF-", "PDF"),
    (b"SQLite format 3\x00", "a database of SQLite"),
    (b"\x89HDF", "HDF5"),
    (b"ARROW1", "Arrow"),
)
_HTML: Final = re.compile(rb"\s*<(!doctype html|html|head|body)\b", re.IGNORECASE)
_XML: Final = re.compile(rb"\s*<(\?xml|rss|feed|urlset|products?|channel)\b", re.IGNORECASE)
_JSON: Final = re.compile(rb'\s*(\[\s*)?\{\s*("|\})')
_SAMPLE_LINES: Final = 20


def recognise_packed(head: bytes) -> str | None:
    """Return which known kind of binary file begins with `head`, or None."""
    return next((what for start, what in _SIGNATURES if head.startswith(start)), None)


def recognise_other(head: bytes, *, delimited: bool) -> str | None:
    """Return what kind a text seems to be if it is not the expected one, else None.

    Parameters
    ----------
    head
        Its first bytes, as UTF-8.
    delimited
        Whether delimited text is meant; JSON otherwise.
    """
    if _HTML.match(head):
        return "an HTML page"
    if _XML.match(head):
        return "XML"
    lines = [line.strip() for line in head.split(b"\n") if line.strip()][:_SAMPLE_LINES]
    if not lines:
        return None
    if delimited:
        if not _JSON.match(head):
            return None
        return "JSON lines" if _is_json(lines[0]) and lines[0].startswith(b"{") else "JSON"
    if any(line.startswith((b"{", b"[")) for line in lines) or _is_json(lines[0]):
        return None
    return "delimited text (CSV)" if re.search(rb"[,;\t|]", lines[0]) else None


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True
