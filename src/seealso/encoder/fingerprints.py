"""Fingerprints: equal ones say that vectors can be compared, whatever folder a bundle lies in.

Whatever changes a vector is in them, and nothing else.
"""

import hashlib
import json
from typing import Any

from seealso.config import TextSettings
from seealso.encoder.collaborative import Collaborative
from seealso.encoder.images import Images
from seealso.encoder.projection import Projection


def fingerprint_model(
    model: str, tokenizer: str, pooling: str, max_length: int, item_prefix: str, user_prefix: str
) -> str:
    """Return the model fingerprint from the SHA-256 of both files and the settings."""
    return _digest([model, tokenizer, pooling, max_length, item_prefix, user_prefix])


def fingerprint_bundle(
    model_fingerprint: str,
    text: TextSettings | None,
    projection: Projection | None,
    collaborative: Collaborative | None = None,
    images: Images | None = None,
) -> str:
    """Return the fingerprint of all that makes a vector of a catalogue row.

    The calibration is left out: it turns a score into a probability and changes no vector, so
    fitting it must not part a bundle from the index that it was fitted on.
    """
    templates = None if text is None else text.model_dump(mode="json")
    fitted = [part for part in (projection, collaborative, images) if part is not None]
    mapped = [hashlib.sha256(part.content()).hexdigest() for part in fitted]
    return _digest([model_fingerprint, templates, *(mapped or (None,))])


def _digest(parts: list[Any]) -> str:
    canonical = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
