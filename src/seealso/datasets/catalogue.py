"""The items as a model reads them, and behaviour in places of the catalogue."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seealso.encoder import ItemText
from seealso.errors import DataError
from seealso.types import Item
from seealso.wording import format_count


@dataclass(frozen=True)
class Catalogue:
    """The items as a model reads them.

    Attributes
    ----------
    ids, texts
        Id and rendered text of each item that has one.
    place
        Position of each id in both.
    without_text
        Number of items without a text: they cannot be learnt.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    place: Mapping[str, int]
    without_text: int


def read_catalogue(batches: Iterable[Sequence[Item]], text: ItemText) -> Catalogue:
    """Render every item.

    Raises
    ------
    DataError
        No item has a text.
    """
    ids, texts, without_text = [], [], 0
    for batch in batches:
        for item in batch:
            rendered = text.render(item.fields)
            if rendered.strip():
                ids.append(item.item_id)
                texts.append(rendered)
            else:
                without_text += 1
    if not ids:
        raise DataError(
            f"none of {format_count(without_text, 'item')} has a text to learn from",
            hint="check catalogue.path and text.item",
        )
    return Catalogue(
        tuple(ids), tuple(texts), {name: n for n, name in enumerate(ids)}, without_text
    )


def encode_sequences(
    train: Mapping[str, Sequence[str]], catalogue: Catalogue
) -> list[tuple[int, ...]]:
    """Return each user's items as positions in `catalogue`, in the order of user ids."""
    place = catalogue.place
    return [
        tuple(place[item] for item in items if item in place) for _, items in sorted(train.items())
    ]
