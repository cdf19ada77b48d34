"""Where what lies in a joined vector: [content; b * factor; cold; norm padding] / radius.

A user is [content; b * fold-in; bonus; 0]. What is done to vectors as they lie is here; what they
are made of is in `collaborative`.
"""

from dataclasses import dataclass

import numpy as np

from seealso.types import Vector

COLD = -2
"""Place of the coordinate that items have which behaviour does not know, and users their bonus."""

PADDING = -1
"""Place of the norm padding."""


@dataclass(frozen=True, slots=True)
class JoinedLayout:
    """The layout of joined vectors; all of them have the shape (..., dimension).

    Attributes
    ----------
    content
        Length d of the content.
    factors
        Length k of a factor.
    radius
        What [content; b * factor; cold] was divided by: the longest it can be.
    """

    content: int
    factors: int
    radius: float

    @property
    def dimension(self) -> int:
        """Length d + k + 2 of a vector."""
        return self.content + self.factors + 2

    @property
    def behaviour(self) -> slice:
        """Where the factor lies."""
        return slice(self.content, self.content + self.factors)

    def contents_of(self, joined: Vector) -> Vector:
        """Return the contents, shape (..., d), of length 1."""
        return joined[..., : self.content] * np.float32(self.radius)

    def pad(self, joined: Vector) -> None:
        """Give vectors the padding that makes them unit rows."""
        squares = (joined[..., :PADDING] ** 2).sum(axis=-1)
        joined[..., PADDING] = np.sqrt(np.maximum(0.0, 1.0 - squares))

    def drop_padding(self, joined: Vector) -> Vector:
        """Return vectors as an index for cosine holds them."""
        bare = joined.copy()
        bare[..., PADDING] = 0.0
        return bare

    def drop_bonus(self, joined: Vector) -> Vector:
        """Return vectors as those of items that are not cold any more.

        Their cold coordinate goes into the norm padding: lengths and all other products stay.
        """
        warm = joined.copy()
        warm[..., PADDING] = np.hypot(joined[..., COLD], joined[..., PADDING])
        warm[..., COLD] = 0.0
        return warm

    def restore(self, stored: Vector) -> Vector:
        """Return E_i, unit rows, of vectors of any lengths, with or without their norm padding.

        Contents of items have length 1: so the length that they have in `stored` says what the
        vector was multiplied by. No row is without content.
        """
        content = stored[..., : self.content]
        length = np.linalg.norm(content, axis=-1, keepdims=True) * np.float32(self.radius)
        restored: Vector = stored / length
        self.pad(restored)
        return restored

    def item_query(self, joined: Vector) -> Vector:
        """Return the query for items like this one, unit length: by content and factor.

        Whether it is cold itself says nothing of what it is like.
        """
        query = joined.copy()
        query[COLD:] = 0.0
        return np.asarray(query / np.linalg.norm(query), dtype=np.float32)
