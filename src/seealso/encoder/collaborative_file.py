"""The collaborative part of a bundle as a file: ids, matrices and numbers, without pickle."""

from pathlib import Path
from typing import Final

import orjson

from seealso.encoder.arrays import open_arrays
from seealso.encoder.co_occurrence import CoOccurrence
from seealso.encoder.collaborative import Collaborative
from seealso.errors import BundleError

_HINT: Final = "fit the bundle again: seealso fit"


def load_collaborative(file: Path) -> Collaborative:
    """Read what `save_collaborative` wrote.

    Raises
    ------
    BundleError
        The file is not a collaborative part.
    """
    with open_arrays(file, "a collaborative part", _HINT) as arrays:
        ids = orjson.loads(arrays["ids"].tobytes())
        weight, confidence, recency, cold_length, bonus, *share = map(float, arrays["numbers"])
        found = Collaborative(
            ids,
            arrays["factors"],
            arrays["gram"],
            arrays["predictor"],
            weight,
            confidence,
            recency,
            cold_length,
            bonus,
            # a part of an earlier version has no share
            share[0] if share else 0.0,
            CoOccurrence.of(arrays, len(ids)),
        )
    width = found.factors.shape[1:]
    if len(ids) != len(found.factors) or found.predictor.shape[1:] != width:
        raise BundleError(
            f"{file}: {len(ids)} ids, factors {found.factors.shape} and predictor "
            f"{found.predictor.shape} do not fit together",
            hint=_HINT,
            file=str(file),
        )
    return found
