"""The example of MovieLens is read whole, but for the one row that is damaged in this copy."""

from pathlib import Path

import pytest

from seealso.config import load_settings
from seealso.errors import DataError
from seealso.readers import FileSource, Problems, read_events, read_items

FOLDER = Path(__file__).parents[2] / "examples" / "ml-latest-small"


@pytest.fixture(scope="module")
def settings():
    return load_settings(FOLDER / "seealso.toml")


def source(path):
    return FileSource(FOLDER / path.name)


def test_every_film(settings):
    films = read_items(source(settings.catalogue.path), settings.catalogue, Problems("stop"))
    by_id = {film.item_id: dict(film.fields) for batch in films for film in batch}
    assert len(by_id) == 9_742
    assert by_id["2"] == {
        "title": "Jumanji (1995)",
        "genres": ["Adventure", "Children", "Fantasy"],
    }


def test_every_rating_but_the_damaged_one(settings):
    problems = Problems("skip")
    frames = list(read_events(source(settings.events.path), settings.events, problems))
    assert sum(frame.height for frame in frames) == 100_835
    assert problems.count == 1
    assert problems.messages[0].startswith("ratings.csv.gz line 522: timestamp is not a time")


def test_stopping_at_the_damaged_one(settings):
    frames = read_events(source(settings.events.path), settings.events, Problems("stop"))
    with pytest.raises(DataError) as caught:
        list(frames)
    assert caught.value.context["line"] == 522
