"""Reads the .npz files of a bundle, without pickle."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from seealso.errors import BundleError


@contextmanager
def open_arrays(file: Path, what: str, hint: str) -> Iterator[Any]:
    """Open the arrays of `file` by name; what is wrong with them is an error of `what`.

    Parameters
    ----------
    file
        An .npz.
    what
        What it should be, for messages: ``a projection``.
    hint
        What to do where it is something else.

    Raises
    ------
    BundleError
        The file cannot be read, or the block finds that it is something else.
    """
    try:
        with np.load(file, allow_pickle=False) as arrays:
            yield arrays
    except (OSError, EOFError, KeyError, TypeError, ValueError, BadZipFile) as exc:
        raise BundleError(f"{file}: not {what}: {exc}", hint=hint, file=str(file)) from exc
