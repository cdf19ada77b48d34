"""What items are called and which groups they belong to, and some users to read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from seealso.config import Settings
from seealso.datasets.dataset import Items
from seealso.datasets.questions import Places, Question, sample
from seealso.errors import ConfigError
from seealso.evaluation.changes import Example
from seealso.evaluation.systems import SHOWN, Lists
from seealso.types import format_value

EXAMPLES: Final = 12
"""Users to read."""


@dataclass(frozen=True)
class Labels:
    """Names and groups of the items.

    Attributes
    ----------
    titles
        The first text field of each item, or its id, shape (n,).
    field, values
        A field, and what each item has there, shape (n,); None and empty where none was asked.
    """

    titles: Sequence[str]
    field: str | None
    values: Sequence[Sequence[str]]


def read_labels(
    settings: Settings, items: Items, place: Mapping[str, int], field: str | None
) -> Labels:
    """Read names and groups from the catalogue.

    Raises
    ------
    ConfigError
        No item has the field.
    """
    titles = [""] * len(place)
    values: list[tuple[str, ...]] = [()] * len(place)
    (title, *_) = settings.catalogue.text or ("",)
    for batch in items():
        for item in batch:
            if item.item_id not in place:
                continue
            own = place[item.item_id]
            titles[own] = str(item.fields.get(title) or item.item_id)
            if field is not None and item.fields.get(field) not in (None, "", []):
                found = item.fields[field]
                several = found if isinstance(found, list | tuple) else (found,)
                values[own] = tuple(map(format_value, several))
    if field is not None and not any(values):
        raise ConfigError(
            f"--by {field}: no item has this field",
            hint="name a field of catalogue.keywords, numbers or lists",
            field=field,
        )
    return Labels(titles, field, values if field is not None else ())


def examples(
    questions: Sequence[Question],
    lists: Mapping[str, Lists],
    titles: Sequence[str],
    seed: int,
) -> tuple[Example, ...]:
    """Return some users, the same ones for the same seed, with what each system showed them."""
    return tuple(
        example(questions[row], {name: one.top(row) for name, one in lists.items()}, titles)
        for row in sample(range(len(questions)), EXAMPLES, seed)
    )


def example(question: Question, lists: Mapping[str, Places], titles: Sequence[str]) -> Example:
    """Return one user to read, with the titles of `lists` of places."""

    def named(places: Places) -> tuple[str, ...]:
        return tuple(titles[place] for place in places)

    return Example(
        question.user_id,
        named(question.history[:SHOWN]),
        titles[question.target],
        {name: named(places) for name, places in lists.items()},
    )
