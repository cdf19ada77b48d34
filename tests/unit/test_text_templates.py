"""Text templates: what they render, how they add up, and what they cannot do."""

import time
import tracemalloc
from typing import Any

import numpy as np
import pytest

from seealso.config import Settings, TextSettings, load_settings
from seealso.encoder import Bundle, Encoder, ItemText, UserText, encode_views, names_read
from seealso.encoder.templates import MOST_CHARACTERS
from seealso.errors import ConfigError, TemplateError
from seealso.types import Item


def item(template: str, **fields: object) -> str:
    return ItemText(TextSettings(item=template)).render(fields)


def test_the_default_item_text() -> None:
    text = ItemText(TextSettings())
    assert text.render({"title": "Heat", "description": "A heist."}) == "Heat. A heist."
    assert text.render({"title": "Heat"}) == "Heat"
    assert text.render({"title": "Heat", "description": None}) == "Heat"
    assert text.render({}) == ""


@pytest.mark.parametrize(
    ("template", "fields", "expected"),
    [
        ("{{ title }}\n\n  {{ missing.deeper }} end", {"title": " a \t b "}, "a b end"),
        ("{{ genres }}", {"genres": ["Crime", "Drama"]}, "Crime, Drama"),
        ("{{ genres | join(' / ') }}", {"genres": ["Crime", "Drama"]}, "Crime / Drama"),
        ("{{ year }} {{ price }}", {"year": 1999.0, "price": 9.5}, "1999 9.5"),
        ("{{ year }}|", {"year": float("nan")}, "|"),
        ("{{ a }} & {{ b }}", {"a": "<b>", "b": "'"}, "<b> & '"),
        ("{% for g in genres %}{{ loop.index }}{{ g }} {% endfor %}", {"genres": "xy"}, "1x 2y"),
        ("{{ title | replace('_', ' ') | upper }}", {"title": "toy_story"}, "TOY STORY"),
        ("{{ title.lower() }} {{ tags.get('x') }}", {"title": "A", "tags": {"x": 1}}, "a 1"),
        ("{{ price * 2 }} {{ price % 4 }}", {"price": 7}, "14 3"),
    ],
)
def test_rendering(template: str, fields: dict[str, object], expected: str) -> None:
    assert item(template, **fields) == expected


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__ }}",
        "{{ title.__class__.__mro__ }}",
        "{{ title.format(1) }}",
        "{{ ''['__class__'] }}",
        "{{ title | attr('__class__') }}",
        "{{ range.__globals__ }}",
        "{{ lipsum(5) }}",
        "{{ cycler.__init__ }}",
        "{% import 'x' as y %}",
        "{% include 'x' %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% set a = title %}",
    ],
)
def test_the_sandbox_has_no_way_out(template: str) -> None:
    with pytest.raises(TemplateError, match=r"text\.item") as caught:
        item(template, title="Heat")
    assert caught.value.hint
    assert caught.value.context["template"] == "text.item"


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'x' * 1000000000 }}",
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ 'x' | center(1000000000) }}",
        "{{ 'x'.ljust(1000000000) }}",
        "{% for i in range(100000) %}{% endfor %}",
        "{% for i in range(99) %}{% for j in range(99) %}{% for k in range(99) %}"
        "{% endfor %}{% endfor %}{% endfor %}",
        "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{{ title | replace('', title) | replace('H', title) | replace('e', title) }}",
        "{% for a in range(1000) %}{% for b in range(1000) %}"
        "{% if range(1000) | list | sort | sum < 0 %}x{% endif %}{% endfor %}{% endfor %}",
        "{% for a in range(1000) %}{% for b in range(1000) %}"
        "{% if 'z' in title %}x{% endif %}{% endfor %}{% endfor %}",
        "{% for a in range(1000) %}{% for b in range(1000) %}{% if a == -1"
        + " or a == b - 2000" * 40
        + " %}x{% endif %}{% endfor %}{% endfor %}",
        "{{ range(1000) | map('string') | map('replace', '', title) | list }}",
        "{{ [1] | batch(1000000000, 'x') | list }}",
        "{{ [1] | slice(1000000000) | list }}",
        "{{ 1 | round(1000000000, 'floor') }}",
        "{{ [[1], [2]] | sum(start=[]) }}",
        "{% with a = title ~ title %}{{ a }}{% endwith %}",
        "{% filter upper %}{% for i in range(1000) %}{{ title }}{% endfor %}{% endfilter %}",
        "{{ " + " * ".join(["big"] * 40) + " }}",
        "{{ " + "(" * 200 + "1" + ")" * 200 + " }}" + "{{ " + "-" * 200 + "1 }}",
        "{{ title }}" * 2_000,
    ],
)
def test_a_runaway_template_is_stopped_at_once(template: str) -> None:
    started = time.perf_counter()
    with pytest.raises(TemplateError, match=r"text\.item"):
        item(template, title="Heat " * 2000, big=10**20)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    "template",
    [
        "{{ range(1000) | join(range(1000) | join(range(1000) | join('x'))) }}",
        "{{ " + " ~ ".join(["title"] * 1_000) + " }}",
        "{{ " + " + ".join(["title"] * 40) + " }}",
        "{{ [" + ", ".join(["title"] * 1_000) + "] }}",
        "{{ [[[title, title], [title, title]]] * 1 if false else [[title], [title]] | string }}",
        "{{ [title, title] | upper }}{{ {'a': title, 'b': title} }}",
    ],
)
def test_what_grows_within_a_template_is_cut(template: str) -> None:
    tracemalloc.start()
    text = item(template, title="Heat " * 200_000)
    assert len(text) > MOST_CHARACTERS - 2
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("template", "fields", "expected"),
    [
        ("{{ title ~ ', ' ~ year }}", {"title": "Heat", "year": 1995}, "Heat, 1995"),
        ("{% if 'Crime' in genres %}dark{% endif %}", {"genres": ["Crime"]}, "dark"),
        ("{% if 'Crime' not in genres %}light{% endif %}", {"genres": ["Drama"]}, "light"),
        ("{{ genres | map('upper') | join(', ') }}", {"genres": ["a", "b"]}, "A, B"),
        ("{{ genres | select('in', ['a']) | list }}", {"genres": ["a", "b"]}, "a"),
        ("{{ cast | map(attribute='name') | join }}", {"cast": [{"name": "Al"}]}, "Al"),
        ("{{ text | striptags | truncate(7, false, '...', 0) }}", {"text": "<p>a b c d e</p>"},
         "a b..."),
        ("{{ price | round(1) }}", {"price": 2.345}, "2.3"),
        ("{% for k, v in t.items() if v %}{{ k }}{{ v }} {% endfor %}", {"t": {"a": 1}}, "a1"),
        ("{% for g in genres %}{{ g }}{{ ', ' if not loop.last }}{% endfor %}",
         {"genres": ["a", "b"]}, "a, b"),
    ],
)  # fmt: skip
def test_what_templates_are_for_still_works(
    template: str, fields: dict[str, object], expected: str
) -> None:
    assert item(template, **fields) == expected


def test_a_long_text_is_cut() -> None:
    template = "{% for i in range(1000) %}{% for j in range(1000) %}xy{% endfor %}{% endfor %}"
    assert item(template) == "xy" * (MOST_CHARACTERS // 2)
    assert len(item("{{ title }}", title="x" * 1_000_000)) == MOST_CHARACTERS


@pytest.mark.parametrize("template", ["{{ title", "{% if %}", "{{ title | nosuch }}", "{% end %}"])
def test_wrong_syntax_is_named_with_its_line(template: str) -> None:
    with pytest.raises(TemplateError, match=r"text\.item: line 2"):
        item("\n" + template)


def test_a_template_that_cannot_work_is_named() -> None:
    with pytest.raises(TemplateError, match=r"text\.views\.price: TypeError"):
        ItemText(TextSettings(views={"price": "{{ price + 1 }}"})).render_views({"price": "x"})


def test_views_come_in_order_with_their_weights() -> None:
    text = ItemText(
        TextSettings(
            item="{{ title }}",
            views={"plot": "{{ plot }}", "cast": "{{ cast }}"},
            weights={"plot": 0.5, "item": 2},
        )
    )
    assert text.names == ("item", "plot", "cast")
    assert text.weights.tolist() == [2, 0.5, 1]
    assert text.render_views({"title": "Heat", "cast": "Pacino"}) == ("Heat", "", "Pacino")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ({"weights": {"plot": 1}}, r"text: weights\.plot: there is no such view; .* are item"),
        ({"weights": {"item": -1}}, r"text: weights\.item: must be 0 or more, not -1"),
        ({"views": {"item": "x"}}, r"text: views\.item: that name belongs"),
    ],
)
def test_views_that_do_not_fit_are_refused(text: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_settings(overrides={"text": text})


def test_view_vectors_add_up_by_weight(tiny: Bundle) -> None:
    encoder = Encoder(tiny)
    settings = TextSettings(item="{{ a }}", views={"b": "{{ b }}"}, weights={"b": 3})
    fields = [{"a": "Heat", "b": "crime drama"}, {"a": "Up"}, {}, {"b": "crime drama"}]
    items = [Item(str(place), told) for place, told in enumerate(fields)]
    texts, vectors = encode_views(encoder, ItemText(settings), items)
    assert texts == ["Heat", "Up", "", ""]
    heat, up, crime = encoder.encode_items(["Heat", "Up", "crime drama"])
    total = heat + 3 * crime
    np.testing.assert_allclose(vectors[0], total / np.linalg.norm(total), atol=1e-5)
    np.testing.assert_allclose(vectors[1], up, atol=1e-5)
    assert not vectors[2].any()
    np.testing.assert_allclose(vectors[3], crime, atol=1e-5)


def test_one_view_is_the_plain_vector(tiny: Bundle) -> None:
    encoder = Encoder(tiny)
    items = [Item("1", {"title": "Heat"}), Item("2", {})]
    texts, vectors = encode_views(encoder, ItemText(TextSettings()), items)
    assert texts == ["Heat", ""]
    np.testing.assert_array_equal(vectors, encoder.encode_items(["Heat", ""]))


def words(text: str) -> int:
    return len(text.split())


def user(
    *,
    budget: int,
    history: list[str],
    said: str = "",
    template: str | None = None,
    **attributes: str,
) -> str:
    settings = TextSettings() if template is None else TextSettings(user=template)
    return UserText(settings).render(
        words=said, attributes=attributes, history=history, budget=budget, count_tokens=words
    )


def test_the_default_user_text_has_words_attributes_and_history() -> None:
    text = user(budget=50, said="quiet films", history=["Heat", "Up"], age="30", city="Rome")
    assert text == "quiet films. age: 30. city: Rome. Heat. Up."


def test_the_oldest_history_is_dropped_until_the_text_fits() -> None:
    history = [f"film number {n}" for n in range(100)]
    assert user(budget=7, history=history) == "film number 0. film number 1."
    assert words(user(budget=299, history=history)) == 297
    assert words(user(budget=300, history=history)) == 300
    assert user(budget=2, history=history) == ""


def test_words_stay_even_if_they_alone_are_too_long() -> None:
    assert user(budget=2, said="one two three", history=["Heat"]) == "one two three."


def test_empty_history_items_are_left_out() -> None:
    assert user(budget=50, history=["Heat", "", "  ", "Up"]) == "Heat. Up."


def test_the_budget_is_counted_in_the_model_s_tokens(tiny: Bundle) -> None:
    encoder = Encoder(tiny)
    text = UserText(TextSettings()).render(
        words="",
        attributes={},
        history=["The Assassination of Jesse James"] * 40,
        budget=64,
        count_tokens=encoder.count_tokens,
    )
    assert 64 - 8 < encoder.count_tokens(text) <= 64


def test_a_user_template_is_named_in_its_errors() -> None:
    with pytest.raises(TemplateError, match=r"text\.user"):
        user(budget=9, history=[], template="{{ words.__class__ }}")


@pytest.mark.parametrize(
    ("columns", "fields", "text"),
    [
        (["title"], {"title": "Ukulele"}, "Ukulele"),
        (["title", "description"], {"title": "Ukulele", "description": "Small"}, "Ukulele. Small"),
        (["name", "body"], {"name": "Ukulele", "body": "Small"}, "Ukulele. Small"),
        (["name", "body"], {"body": "Small"}, "Small"),
        (["product name", "in"], {"product name": "Ukulele", "in": "wood"}, "Ukulele. wood"),
        (["name.de", 'a "b"', "c\\d"], {"name.de": "x", 'a "b"': "y", "c\\d": "z"}, "x. y. z"),
        (["name"], {}, ""),
    ],
)
def test_by_default_the_model_reads_what_the_catalogue_names(
    columns: list[str], fields: dict[str, str], text: str
) -> None:
    chosen = Settings.model_validate({"catalogue": {"text": columns}})
    assert ItemText(chosen.text).render(fields) == text


def test_what_a_person_says_the_model_reads_stays() -> None:
    chosen = Settings.model_validate(
        {"catalogue": {"text": ["name"]}, "text": {"item": "{{ body }}"}}
    )
    assert chosen.text.item == "{{ body }}"


def test_title_and_description_keep_the_template_that_fingerprints_hold() -> None:
    for columns in (["title"], ["title", "description"]):
        chosen = Settings.model_validate({"catalogue": {"text": columns}})
        assert chosen.text == TextSettings()


def test_the_names_that_a_template_reads() -> None:
    assert names_read("{% for g in genres %}{{ g }}{{ range(3) }}{% endfor %}{{ title }}") == {
        "genres",
        "title",
    }
