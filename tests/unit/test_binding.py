"""Binding a bundle to a catalogue: what is whitened, and catalogues that say nothing."""

from dataclasses import replace

import numpy as np
import pytest

from seealso.config import Settings
from seealso.encoder import Bundle, BundleStore, ImageVectors
from seealso.errors import DataError
from seealso.indexer.binding import bind_to_catalogue, sample_texts, whitening_note
from seealso.types import Item


def settings(tmp_path, **sections):
    encoder = {"store": tmp_path, "cache": False, "threads": 1, **sections.pop("encoder", {})}
    return Settings.model_validate({"encoder": encoder, **sections})


def texts(n):
    return [f"number {i}" for i in range(n)]


def items(titled, without_text):
    full = [Item(f"t{i}", {"title": f"t {i}"}) for i in range(titled)]
    return [*full, *(Item(f"m{i}", {"price": 1.0}) for i in range(without_text))]


@pytest.mark.parametrize(("different", "whitened"), [(2, False), (255, False), (256, True)])
def test_two_texts_to_a_dimension_are_whitened_and_fewer_are_not(
    tiny: Bundle, tmp_path, different, whitened
):
    chosen = settings(tmp_path)
    # a text that many items have teaches no more than once
    drawn = texts(different) + ["number 0"] * 300 + [""]
    bundle = bind_to_catalogue(tiny, drawn, chosen)
    assert (bundle.projection is not None) == whitened
    note = whitening_note(tiny, drawn, chosen)
    assert (note is None) == whitened
    if note:
        assert note == (
            f"vectors are not whitened: {different} different texts are fewer than 2 for each of "
            "128 dimensions"
        )


@pytest.mark.parametrize("whiten", [True, False])
def test_who_decides_is_not_corrected(tiny: Bundle, tmp_path, whiten):
    chosen = settings(tmp_path, encoder={"whiten": whiten})
    for drawn in (texts(20), texts(256)):
        assert (bind_to_catalogue(tiny, drawn, chosen).projection is not None) == whiten
        assert whitening_note(tiny, drawn, chosen) is None


def test_a_trained_bundle_that_wants_no_whitening_has_none(tiny: Bundle, tmp_path):
    trained = replace(tiny, whiten=False)
    assert bind_to_catalogue(trained, texts(256), settings(tmp_path)).projection is None
    assert whitening_note(trained, texts(20), settings(tmp_path)) is None


def test_a_bound_bundle_stays_unwhitened_when_its_catalogue_grows(tiny: Bundle, tmp_path):
    chosen = settings(tmp_path)
    bound = bind_to_catalogue(tiny, texts(20), chosen)
    assert bind_to_catalogue(bound, texts(256), chosen).fingerprint == bound.fingerprint
    store = BundleStore(tmp_path)
    assert store.by_fingerprint(bound.fingerprint).projection is None


def test_half_of_the_items_without_text_are_enough(tmp_path):
    assert sample_texts(items(2, 2), settings(tmp_path)) == ["t 0", "t 1", "", ""]


@pytest.mark.parametrize(
    ("sections", "read", "hint"),
    [
        ({"catalogue": {"text": ["name"]}}, "name", "catalogue.text"),
        (
            {"catalogue": {"text": ["name"]}, "text": {"item": "{{ titel }} {{ name }}"}},
            "name, titel",
            "[catalogue] names no column 'titel': correct text.item, or leave it out",
        ),
        ({"text": {"item": "{% if 0 %}x{% endif %}"}}, "no column", "correct text.item"),
    ],
)
def test_a_catalogue_that_says_nothing_is_refused(tmp_path, sections, read, hint):
    with pytest.raises(DataError) as caught:
        sample_texts(items(3, 4), settings(tmp_path, **sections))
    assert caught.value.message == (
        f"7 of 7 items have no text and would get no vector: text.item reads {read}"
    )
    assert hint in str(caught.value.hint)


def test_a_view_or_an_image_speaks_for_an_item(tmp_path):
    viewed = settings(tmp_path, text={"item": "{{ name }}", "views": {"t": "{{ title }}"}})
    assert sample_texts(items(3, 1), viewed) == [""] * 4
    pictures = ImageVectors({"m0": 0, "m1": 1}, np.eye(2, dtype=np.float32), ["0", "1"], "x")
    assert sample_texts(items(1, 2), settings(tmp_path), pictures) == ["t 0", "", ""]
