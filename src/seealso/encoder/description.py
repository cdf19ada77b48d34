"""The files of a bundle: what they are called, and bundle.json, which says what each one is.

What was changed by hand is refused.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from seealso.errors import BundleError

FORMAT: Final = 2
"""Raised where a bundle of before cannot be read: version 0.1 wrote format 1."""
DESCRIPTION: Final = "bundle.json"
MODEL: Final = "model.onnx"
MODEL_INT8: Final = "model.int8.onnx"
TOKENIZER: Final = "tokenizer.json"
PROJECTION: Final = "projection.npz"
COLLABORATIVE: Final = "collaborative.npz"
IMAGES: Final = "images.npz"
MODEL_FILES: Final = (MODEL, MODEL_INT8, TOKENIZER)


def read_description(folder: Path) -> dict[str, Any]:
    """Return bundle.json of `folder`, unchecked.

    Raises
    ------
    BundleError
        There is none, or it is not JSON of a known format.
    """
    file = folder / DESCRIPTION
    try:
        recorded = json.loads(file.read_text(encoding="utf-8"))
    except OSError as exc:
        raise BundleError(
            f"{folder}: not a bundle folder (no {DESCRIPTION})",
            hint="make one: seealso model export",
            folder=str(folder),
        ) from exc
    except ValueError as exc:
        raise BundleError(f"{file}: not JSON: {exc}", hint="export the model again") from exc
    if not isinstance(recorded, dict) or recorded.get("format") != FORMAT:
        found = recorded.get("format") if isinstance(recorded, dict) else None
        raise BundleError(
            f"{file}: bundle format {FORMAT} expected, found {found!r}",
            hint=f"another version of seealso wrote it; make it again: {_command(recorded)}",
            file=str(file),
        )
    return recorded


def _command(recorded: Any) -> str:
    """Return the command that makes a bundle of this kind."""
    origin = recorded.get("origin") if isinstance(recorded, dict) else None
    steps = origin if isinstance(origin, dict) else {}
    if "fit" in steps:
        return "seealso build, with the text model in encoder.bundle"
    return "seealso train --force" if "training" in steps else "seealso model export --force"


def check_names(files: Mapping[str, str]) -> Mapping[str, str]:
    """Return `files`; raise ValueError if one does not belong in a bundle."""
    for name in files:
        if name not in (*MODEL_FILES, PROJECTION, COLLABORATIVE, IMAGES):
            raise ValueError(f"{name} does not belong in a bundle")
    return files


def check_files(folder: Path, files: Mapping[str, str]) -> None:
    """Check that the files of `folder` are those whose SHA-256 is recorded.

    Raises
    ------
    BundleError
        A file that every bundle has is not recorded, or one cannot be read or is another one.
    """
    if missing := [name for name in MODEL_FILES if name not in files]:
        raise BundleError(
            f"{folder / DESCRIPTION}: names no {missing[0]}",
            hint="export the model again: seealso model export --force",
            file=str(folder / DESCRIPTION),
        )
    for name, recorded in files.items():
        try:
            found = sha256(folder / name)
        except OSError as exc:
            raise BundleError(
                f"{folder / name}: cannot be read: {exc.strerror}",
                hint="export the model again: seealso model export --force",
                file=str(folder / name),
            ) from exc
        if found != recorded:
            raise BundleError(
                f"{folder / name}: not the file that this bundle was made with",
                hint="copy the bundle again, or export it again: seealso model export --force",
                file=str(folder / name),
            )


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file as hex digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
