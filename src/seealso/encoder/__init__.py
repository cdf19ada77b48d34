"""Text to unit vectors with onnxruntime and tokenizers; the model bundle.

Nothing here imports torch: what makes a bundle is the training room.
"""

from seealso.encoder.bundle import Bundle
from seealso.encoder.cache import VectorCache
from seealso.encoder.co_occurrence import CoOccurrence
from seealso.encoder.collaborative import Collaborative
from seealso.encoder.encoder import Encoder
from seealso.encoder.images import Images, ImageVectors
from seealso.encoder.opening import (
    LEAST_TEXTS,
    find_serving_bundle,
    item_encoder,
    open_cache,
    too_few_to_whiten,
    unused_fit_note,
    whitens,
)
from seealso.encoder.pictures import ImageEncoder
from seealso.encoder.projection import Projection, fit_projection
from seealso.encoder.store import BundleStore, bind
from seealso.encoder.templates import names_read
from seealso.encoder.texts import ItemText, UserText, encode_views

__all__ = [
    "LEAST_TEXTS",
    "Bundle",
    "BundleStore",
    "CoOccurrence",
    "Collaborative",
    "Encoder",
    "ImageEncoder",
    "ImageVectors",
    "Images",
    "ItemText",
    "Projection",
    "UserText",
    "VectorCache",
    "bind",
    "encode_views",
    "find_serving_bundle",
    "fit_projection",
    "item_encoder",
    "names_read",
    "open_cache",
    "too_few_to_whiten",
    "unused_fit_note",
    "whitens",
]
