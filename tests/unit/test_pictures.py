"""Pictures become vectors: what an encoder that averages must give, and what is refused."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image

from seealso.encoder import ImageEncoder, VectorCache
from seealso.encoder.pictures import MOST_PIXELS
from seealso.errors import BundleError, DataError
from seealso.indexer.pictures import Gallery
from seealso.readers import Problems
from seealso.types import ImageRows
from tests.pictures import PATCHES, SIDE, WIDTH, write_encoder, write_picture


@pytest.fixture
def encoder(tmp_path: Path) -> ImageEncoder:
    return ImageEncoder(write_encoder(tmp_path / "clip"), 1)


def png(pixels: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def test_a_picture_becomes_the_averages_of_its_patches(encoder: ImageEncoder) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, size=(SIDE, SIDE, 3))
    (found,) = encoder.run(encoder.pixels.read(png(pixels))[None])
    step = SIDE // PATCHES
    patches = (pixels / 255 - 0.5) / 0.5
    wanted = patches.reshape(PATCHES, step, PATCHES, step, 3).mean(axis=(1, 3))
    assert encoder.width == WIDTH
    np.testing.assert_allclose(found, wanted.transpose(2, 0, 1).ravel(), atol=1e-5)


def test_a_long_picture_is_cut_in_the_middle(encoder: ImageEncoder) -> None:
    pixels = np.zeros((SIDE, 3 * SIDE, 3))
    pixels[:, SIDE : 2 * SIDE] = 255
    np.testing.assert_array_equal(encoder.pixels.read(png(pixels)), 1.0)


def test_grey_pictures_and_palettes_are_read_as_colours(encoder: ImageEncoder) -> None:
    grey = png(np.full((SIDE, SIDE), 128))
    np.testing.assert_allclose(encoder.pixels.read(grey), 128 / 255 * 2 - 1, atol=1e-6)
    stream = io.BytesIO()
    Image.new("P", (SIDE, SIDE)).save(stream, "PNG")
    assert encoder.pixels.read(stream.getvalue()).shape == (3, SIDE, SIDE)


def claimed(width: int, height: int) -> bytes:
    """A PNG that says it is so large, and holds next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    empty = zlib.compress(b"\0" * 100)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", empty) + chunk(b"IEND", b"")
    )


def gif() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (SIDE, SIDE)).save(stream, "GIF")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (b"", "is not a JPEG or PNG"),
        (b"not a picture", "is not a JPEG or PNG"),
        (gif(), "is not a JPEG or PNG"),
        (png(np.zeros((SIDE, SIDE, 3)))[:40], "is not a JPEG or PNG"),
        (claimed(SIDE, SIDE), "is not a JPEG or PNG"),
        (claimed(8_000, MOST_PIXELS // 8_000 + 1), "pixels, too many to unpack"),
        (claimed(10_000, 10_000), "too many pixels to unpack"),
        (claimed(60_000, 60_000), "too many pixels to unpack"),
    ],
)
def test_what_is_no_picture_is_refused(encoder: ImageEncoder, picture: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        encoder.pixels.read(picture)


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ({"size": 0}, "size, mean and std"),
        ({"size": 100_000}, "size, mean and std"),
        ({"size": [16]}, "not a description"),
        ({"mean": [0.5]}, "size, mean and std"),
        ({"std": [0.5, 0.5, 0.0]}, "size, mean and std"),
        ({"mean": None}, "not a description"),
        ({"size": 20}, "image.onnx: does not encode pictures"),
    ],
)
def test_an_encoder_that_is_described_wrongly_is_refused(
    tmp_path: Path, described: dict[str, Any], message: str
) -> None:
    folder = write_encoder(tmp_path / "clip", **described)
    with pytest.raises(BundleError, match=message) as caught:
        ImageEncoder(folder, 1)
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_an_encoder_must_be_onnx_that_stands_alone(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "clip")
    (folder / "image.json").rename(folder / "other.json")
    with pytest.raises(BundleError, match=r"image.json: cannot be read"):
        ImageEncoder(folder, 1)
    (folder / "other.json").rename(folder / "image.json")
    model = onnx.load(folder / "image.onnx")
    model.graph.node[0].domain = "com.example"
    (folder / "image.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(BundleError, match=r"uses a custom operator, 'com.example' 'AveragePool'"):
        ImageEncoder(folder, 1)
    (folder / "image.onnx").write_bytes(b"import os")
    with pytest.raises(BundleError, match="is not an ONNX model"):
        ImageEncoder(folder, 1)


def gallery(
    folder: Path, encoder: ImageEncoder, on_error: Any = "stop", cache: VectorCache | None = None
) -> tuple[Gallery, Problems]:
    problems = Problems(on_error)
    return Gallery(folder, encoder, cache, problems), problems


def hung(folder: Path) -> Path:
    write_picture(folder / "a.png", (250, 10, 10), (SIDE, SIDE))
    write_picture(folder / "b.jpg", (10, 250, 10), (64, 48))
    write_picture(folder / "c%2Fd.JPEG", (10, 10, 250), (48, 64))
    (folder / "notes.txt").write_text("not a picture")
    return folder


def test_a_folder_of_pictures_is_read_by_item(tmp_path: Path, encoder: ImageEncoder) -> None:
    (rows,) = gallery(hung(tmp_path / "pictures"), encoder)[0].read()
    assert list(rows.ids) == ["a", "b", "c/d"]
    means = rows.vectors.reshape(3, 3, -1).mean(axis=2)
    assert means.argmax(axis=1).tolist() == [0, 1, 2]
    assert len(set(rows.digests)) == 3


def test_broken_pictures_are_named_and_can_be_left_out(
    tmp_path: Path, encoder: ImageEncoder
) -> None:
    folder = hung(tmp_path / "pictures")
    (folder / "b.png").write_bytes(b"of b there is one already")
    (folder / "bad.png").write_bytes(b"broken")
    with pytest.raises(DataError) as caught:
        list(gallery(folder, encoder)[0].read())
    assert caught.value.message == "pictures picture 3: b.png is the item of b.jpg, too"
    one, problems = gallery(folder, encoder, "skip")
    (rows,) = one.read()
    assert list(rows.ids) == ["a", "b", "c/d"]
    assert problems.count == 2
    assert problems.messages[1] == (
        "pictures picture 4: bad.png is not a JPEG or PNG that can be read"
    )


def test_what_was_encoded_comes_from_the_cache(tmp_path: Path, encoder: ImageEncoder) -> None:
    folder, cache = hung(tmp_path / "pictures"), VectorCache(tmp_path / "vectors.sqlite")
    first = list(gallery(folder, encoder, cache=cache)[0].read())
    encoder.run = never  # type: ignore[method-assign]
    again = list(gallery(folder, encoder, cache=cache)[0].read())
    assert_same(first, again)


def never(inputs: Any) -> Any:
    raise AssertionError("everything was known")


def assert_same(first: list[ImageRows], again: list[ImageRows]) -> None:
    for one, other in zip(first, again, strict=True):
        assert (list(one.ids), list(one.digests)) == (list(other.ids), list(other.digests))
        np.testing.assert_array_equal(one.vectors, other.vectors)


def test_a_folder_that_is_not_there(tmp_path: Path, encoder: ImageEncoder) -> None:
    with pytest.raises(DataError, match="nowhere: cannot be read"):
        list(gallery(tmp_path / "nowhere", encoder)[0].read())
