"""What the model reads: an item's text in one or several views, and a user's text.

The templates come from the settings; they are part of a bound bundle's fingerprint.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from seealso.config import TextSettings
from seealso.encoder.encoder import Encoder
from seealso.encoder.images import ImageVectors
from seealso.encoder.projection import unit_rows
from seealso.encoder.templates import TextTemplate
from seealso.log import Tick
from seealso.types import Item, Vector


class ItemText:
    """Renders the text of an item.

    Parameters
    ----------
    text
        The templates.

    Attributes
    ----------
    names
        Names of the views, the main one (``item``) first.
    weights
        Weight of each view, in the same order, shape (views,).

    Raises
    ------
    TemplateError
        A template cannot be used.
    """

    def __init__(self, text: TextSettings) -> None:
        self.names = ("item", *text.views)
        self.weights = np.array([text.weights.get(name, 1.0) for name in self.names], np.float32)
        views = [TextTemplate(f"text.views.{name}", view) for name, view in text.views.items()]
        self._templates = (TextTemplate("text.item", text.item), *views)

    def render(self, fields: Mapping[str, Any]) -> str:
        """Return the text of the main template; empty if the item has nothing to say.

        Raises
        ------
        TemplateError
            The template cannot be rendered with these fields.
        """
        return self._templates[0].render(_named(fields))

    def render_views(self, fields: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the text of every view, the main one first.

        Raises
        ------
        TemplateError
            A template cannot be rendered with these fields.
        """
        named = _named(fields)
        return tuple(one.render(named) for one in self._templates)


class UserText:
    """Renders the text of a user.

    Parameters
    ----------
    text
        The templates.

    Raises
    ------
    TemplateError
        The template cannot be used.
    """

    def __init__(self, text: TextSettings) -> None:
        self._template = TextTemplate("text.user", text.user)

    def render(
        self,
        *,
        words: str,
        attributes: Mapping[str, Any],
        history: Sequence[str],
        budget: int,
        count_tokens: Callable[[str], int],
    ) -> str:
        """Return the text of a user, with as much history as the model can read.

        Parameters
        ----------
        words
            The user's own words.
        attributes
            Attributes of the user.
        history
            Texts of items, newest first; the oldest are dropped until the text fits.
        budget
            Most tokens of the text. Words and attributes are never dropped: should they alone
            be too long, the model reads their beginning.
        count_tokens
            Counts the tokens of a text: `Encoder.count_tokens`.

        Raises
        ------
        TemplateError
            The template cannot be rendered with these values.
        """
        texts = [text for text in history if text.strip()]

        def text_with(number: int) -> str:
            return self._template.render(
                {"words": words, "attributes": attributes, "history": texts[:number]}
            )

        # a token is at least one item apart, so more than `budget` items can never fit
        fits, fails = 0, min(len(texts), budget) + 1
        while fails - fits > 1:
            middle = (fits + fails) // 2
            if count_tokens(text_with(middle)) <= budget:
                fits = middle
            else:
                fails = middle
        return text_with(fits)


def encode_views(
    encoder: Encoder,
    item_text: ItemText,
    items: Sequence[Item],
    *,
    images: ImageVectors | None = None,
    tick: Tick | None = None,
) -> tuple[list[str], Vector]:
    """Encode items as an index holds them, from all their views.

    The vector of the texts is unit(sum of weight * vector of the view); where the bundle has
    parts for images and behaviour, it is joined with them.

    Parameters
    ----------
    encoder
        The encoder.
    item_text
        The templates and weights.
    items
        n items.
    images
        Image vectors, for a bundle that was fitted with images.
    tick
        Called with the number of texts just finished: n for each view.

    Returns
    -------
    tuple
        The n texts of the main template, and vectors of shape (n, ``bundle.dimension``); a zero
        row for an item whose views are all empty and that has no image.

    Raises
    ------
    TemplateError
        A template cannot be rendered.
    BundleError
        The bundle was fitted with images, and `images` are none or others.
    """
    rendered = [item_text.render_views(item.fields) for item in items]
    main = [texts[0] for texts in rendered]
    if len(item_text.names) == 1:
        read = encoder.encode_items(main, tick=tick)
    else:
        total = np.zeros((len(rendered), encoder.dimension), dtype=np.float32)
        for view, weight in enumerate(item_text.weights):
            total += weight * encoder.encode_items([texts[view] for texts in rendered], tick=tick)
        read = unit_rows(total)
    ids = [item.item_id for item in items]
    return main, encoder.bundle.item_vectors(ids, read, images)


def _named(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields by their names, and all of them as ``fields``."""
    # a column called "product name" can be written no other way than fields["product name"]
    return {"fields": fields, **fields}
