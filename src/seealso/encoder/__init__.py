"""Text to unit vectors with onnxruntime and tokenizers; the model bundle.

Nothing here imports torch: what makes a bundle is the training room.
"""

from seealso.encoder.bundle import Bundle as Bundle
from seealso.encoder.cache import VectorCache as VectorCache
from seealso.encoder.co_occurrence import Boosted as Boosted
from seealso.encoder.co_occurrence import CoOccurrence as CoOccurrence
from seealso.encoder.collaborative import Collaborative as Collaborative
from seealso.encoder.encoder import Encoder as Encoder
from seealso.encoder.encoder import cached_as as cached_as
from seealso.encoder.fold_in import History as History
from seealso.encoder.fold_in import average_contents as average_contents
from seealso.encoder.images import Images as Images
from seealso.encoder.images import ImageVectors as ImageVectors
from seealso.encoder.keyed import KnownKeys as KnownKeys
from seealso.encoder.keyed import read_keyed as read_keyed
from seealso.encoder.opening import LEAST_INT8_HEAD as LEAST_INT8_HEAD
from seealso.encoder.opening import LEAST_TEXTS as LEAST_TEXTS
from seealso.encoder.opening import find_serving_bundle as find_serving_bundle
from seealso.encoder.opening import fit_note as fit_note
from seealso.encoder.opening import item_encoder as item_encoder
from seealso.encoder.opening import open_cache as open_cache
from seealso.encoder.opening import query_encoder as query_encoder
from seealso.encoder.opening import too_few_to_whiten as too_few_to_whiten
from seealso.encoder.opening import whitens as whitens
from seealso.encoder.pictures import ImageEncoder as ImageEncoder
from seealso.encoder.projection import Projection as Projection
from seealso.encoder.projection import fit_projection as fit_projection
from seealso.encoder.projection import require_shorter as require_shorter
from seealso.encoder.store import BundleStore as BundleStore
from seealso.encoder.store import bind as bind
from seealso.encoder.templates import names_read as names_read
from seealso.encoder.texts import ItemText as ItemText
from seealso.encoder.texts import UserText as UserText
from seealso.encoder.texts import encode_views as encode_views
