"""Writes bundle.json beside the files of a bundle."""

import json
from dataclasses import replace
from typing import Any

from seealso.encoder.bundle import Bundle
from seealso.encoder.description import (
    COLLABORATIVE,
    DESCRIPTION,
    FORMAT,
    IMAGES,
    MODEL_FILES,
    PROJECTION,
    sha256,
)


def describe_bundle(bundle: Bundle) -> dict[str, Any]:
    """Return what bundle.json says of `bundle`, but for its files."""
    return {
        "name": bundle.name,
        "fingerprint": bundle.fingerprint,
        "model_fingerprint": bundle.model_fingerprint,
        "dimension": bundle.dimension,
        "pooling": bundle.pooling,
        "max_length": bundle.max_length,
        "item_prefix": bundle.item_prefix,
        "user_prefix": bundle.user_prefix,
        "text": None if bundle.text is None else bundle.text.model_dump(mode="json"),
        "calibration": {"b": bundle.calibration.b, "t": bundle.calibration.t},
        "whiten": bundle.whiten,
        "fitted": {name: dict(values) for name, values in bundle.fitted.items()},
        "origin": dict(bundle.origin),
    }


def write_description(bundle: Bundle) -> Bundle:
    """Write bundle.json for the files that lie in ``bundle.folder``, replacing it atomically.

    Returns
    -------
    Bundle
        The bundle with the digests of those files.
    """
    parts = {
        PROJECTION: bundle.projection, COLLABORATIVE: bundle.collaborative, IMAGES: bundle.images
    }  # fmt: skip
    present = (*MODEL_FILES, *(name for name, part in parts.items() if part is not None))
    files = {name: sha256(bundle.folder / name) for name in present}
    description = {"format": FORMAT, **describe_bundle(bundle), "files": files}
    partial = bundle.folder / f".{DESCRIPTION}.partial"
    partial.write_text(json.dumps(description, indent=2, ensure_ascii=False) + "\n", "utf-8")
    partial.replace(bundle.folder / DESCRIPTION)
    return replace(bundle, digests={name: files[name] for name in MODEL_FILES})
