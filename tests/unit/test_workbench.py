"""Files for the Search Relevance Workbench: as its sources read them, and equal to our figures."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from seealso.datasets.dataset import Dataset
from seealso.datasets.questions import Question
from seealso.errors import ConfigError
from seealso.evaluation.metrics import per_user, ranks_in
from seealso.evaluation.protocols import EvaluationProtocol, Holdout
from seealso.evaluation.systems import NOTHING, Lists
from seealso.evaluation.workbench.bodies import query_texts
from seealso.evaluation.workbench.writing import MOST_QUERIES, Workbench
from seealso.readers import Pseudonyms
from tests.workbench import Imported, ndcg

ITEMS: Final = 60
IDS: Final = [f"item {place}" for place in range(ITEMS)]
NAMES: Final = Pseudonyms(b"a key that nobody guesses")
NOBODY: Final = np.array([], dtype=np.int64)


def protocol(users: Sequence[str], name: str = "leave-one-out") -> EvaluationProtocol:
    draw = np.random.default_rng(3)
    asked = [Question(NOBODY, int(draw.integers(ITEMS)), NOBODY, user) for user in users]
    return EvaluationProtocol(name, asked, None, [("all", np.arange(len(asked)))])


def lists(users: int, seed: int) -> Lists:
    """Lists of twenty items, some of which end before."""
    draw = np.random.default_rng(seed)
    places = np.array([draw.permutation(ITEMS)[:20] for _ in range(users)])
    for row in range(0, users, 5):
        places[row, 19 - row % 20 :] = NOTHING
    places[-1] = NOTHING
    return Lists(places)


def test_the_workbench_counts_what_the_evaluation_counts(tmp_path: Path) -> None:
    held = protocol([f"u{n}" for n in range(50)])
    systems = {"seealso": lists(50, 1), "seealso, no tail share": lists(50, 2)}
    bench = Workbench(tmp_path, "shop", "dev", NAMES)
    folder = bench.write(held, systems, IDS, [f"Title {one}" for one in IDS])
    assert folder == tmp_path / "leave-one-out"
    imported = Imported(folder)
    assert imported.queries == [NAMES.of(f"u{n}") for n in range(50)]
    assert "u7" not in "".join(file.read_text() for file in folder.iterdir())
    documents = read_bulk(imported.lists)
    guide = (folder / "README.md").read_text()
    for system, configuration in zip(systems, sorted(imported.configurations), strict=True):
        ranks = ranks_in(systems[system], held.questions)

        def search(_: Mapping[str, Any], text: str, size: int, system: str = system) -> list[str]:
            return listed(documents, system, text)[:size]

        for size in (10, 20):
            ours = per_user(ranks)[f"ndcg@{size}"]
            found = imported.ndcg(configuration, size, search)
            assert found == pytest.approx(ours.mean(), abs=1e-12)
            assert f"{ours.mean():.4f}" in guide
    # the Workbench counts no query without hits
    assert "- seealso has no list for 1 of the users" in guide


def read_bulk(lines: bytes) -> dict[str, Any]:
    parts = [json.loads(line) for line in lines.splitlines()]
    return {
        action["index"]["_id"]: body for action, body in zip(parts[::2], parts[1::2], strict=True)
    }


def listed(documents: dict[str, Any], system: str, user: str) -> list[str]:
    """Return the list of a user, as the index holds it."""
    places = {
        one["place"]: item
        for item, document in documents.items()
        for one in document["lists"]
        if (one["system"], one["user"]) == (system, user)
    }
    return [places[place] for place in sorted(places)]


def test_each_question_is_a_query_of_its_own() -> None:
    # a protocol that does not say who a user is, and one that asks for somebody twice
    texts = query_texts(protocol(["", "", "ann", "bob", "ann"]), NAMES)
    ann, bob = NAMES.of("ann"), NAMES.of("bob")
    assert texts == ["user 1", "user 2", f"{ann} 1", bob, f"{ann} 2"]


def test_a_second_run_leaves_no_file_of_the_first(tmp_path: Path) -> None:
    bench = Workbench(tmp_path, "shop", "test", NAMES)
    held = protocol(["ann", "bob"], "cold among cold")
    titles = ['A "quoted" \\ <title>', *IDS[1:]]
    bench.write(held, {"popularity": lists(2, 1), "seealso": lists(2, 2)}, IDS, titles)
    folder = bench.write(held, {"seealso": lists(2, 2)}, IDS, titles)
    assert folder.name == "cold-among-cold"
    assert [*Imported(folder).configurations] == ["seealso"]


def test_names_are_short_and_plain(tmp_path: Path) -> None:
    system = 'a "baseline" with a <very> long name, which goes on \\ and on and on'
    held = protocol(["ann"])
    folder = Workbench(tmp_path, "shop", "dev", NAMES).write(held, {system: lists(1, 1)}, IDS, IDS)
    (configuration,) = Imported(folder).configurations.values()
    assert configuration["name"].startswith("a baseline with a very long name")
    # a query names the system as it is
    assert json.loads(configuration["query"])["query"]["nested"]["path"] == "lists"


def test_an_item_in_many_lists_is_let_into_the_index(tmp_path: Path) -> None:
    users = 600
    popular = Lists(np.tile(np.arange(20), (users, 1)))
    systems = {f"system {n}": popular for n in range(20)}
    folder = Workbench(tmp_path, "shop", "dev", NAMES).write(
        protocol([f"u{n}" for n in range(users)]), systems, IDS, IDS
    )
    settings = Imported(folder).index["settings"]
    assert settings["index.mapping.nested_objects.limit"] == users * len(systems)


def test_more_users_than_a_query_set_takes_are_refused_before_anything_is_ranked() -> None:
    bench = Workbench(Path("unused"), "shop", "dev", NAMES)

    def held(users: int) -> Holdout:
        dataset: Any = None
        known: Dataset = dataset
        own = protocol([f"u{n}" for n in range(users)])
        return Holdout(known, (), "leave-one-out", np.zeros(ITEMS, dtype=bool), (own,))

    bench.check([held(MOST_QUERIES)])
    with pytest.raises(ConfigError, match="1,001 users, and a query set") as error:
        bench.check([held(MOST_QUERIES), held(MOST_QUERIES + 1)])
    assert "--users 1000" in str(error.value.hint)


def test_the_ndcg_of_the_workbench_knows_grades() -> None:
    # gains 2^rating - 1, over the best order of all that is rated
    assert ndcg(["b", "a"], {"a": "2.0", "b": "1.0"}, 10) == pytest.approx(
        (1 + 3 / np.log2(3)) / (3 + 1 / np.log2(3))
    )
