"""What a recommendation looks like as a document of a framework: a text, and facts beside it."""

from collections.abc import Iterable, Sequence
from typing import Any

from seealso.plugin.recommendations import Recommendation, label


def content(item: Recommendation, fields: Sequence[str]) -> str:
    """Return the text of an item: its `fields`, a line each; any text it has, without those."""
    lines = [_line(item.fields[name]) for name in fields if item.fields.get(name)]
    return "\n".join(line for line in lines if line) or label(item.fields)


def _line(value: Any) -> str:
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(map(str, value))
    return str(value)


def facts(item: Recommendation) -> dict[str, Any]:
    """Return the catalogue's own fields, and what the list says of the item.

    ``probability`` is None where nothing is known about it; a catalogue's own column of that name
    gives way.
    """
    return {
        **item.fields,
        "item_id": item.item_id,
        "probability": item.probability,
        "importance": item.importance,
        "tail": item.tail,
        "by": item.source.value,
    }
