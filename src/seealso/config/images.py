"""What the items look like: vectors that are there already, or pictures and what encodes them."""

from pathlib import Path

from pydantic import Field, model_validator

from seealso.config.section import Section


class ImagesSettings(Section):
    """``[images]``: images of the items; ``seealso fit`` chooses their weight."""

    path: Path | None = None
    """Image vectors: .parquet or .jsonl with ids and lists of numbers, .npz with ``ids`` and
    ``vectors``, or .npy with the ids in another file."""
    id: str = "item_id"
    """The column with the item id."""
    vector: str = "vector"
    """The column with the vector."""
    ids: Path | None = None
    """A text file with the ids of an .npy, one on each line."""
    folder: Path | None = None
    """Or a folder of pictures, each named by its item id, as .jpg, .jpeg or .png."""
    bundle: Path | None = None
    """The image encoder for these pictures: a folder with image.onnx and image.json."""
    dimension: int = Field(64, ge=1)
    """Most dimensions of the image part of a vector."""

    @model_validator(mode="after")
    def _check(self) -> "ImagesSettings":
        if self.path is not None and self.folder is not None:
            raise ValueError("path and folder are both set: remove one of them")
        if (self.folder is None) != (self.bundle is None):
            raise ValueError(
                "folder and bundle must be set together: the pictures and their encoder"
            )
        if (self.ids is not None) != (self.path is not None and self.path.suffix.lower() == ".npy"):
            raise ValueError("ids belongs to a path that ends in .npy, and only to it")
        return self
