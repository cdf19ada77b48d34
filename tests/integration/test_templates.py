"""Each template against a real index: the ranking that numpy computes, by either renderer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pytest

from seealso.cluster import Cluster
from seealso.cluster.node import NodeInfo
from seealso.config import Settings
from seealso.indexer.mapping import derive_vectors, index_body
from seealso.indexer.templates import install, installed
from seealso.plugin.scores import raw_value, score_of
from seealso.query_templates import msearch, names, render, script_id, source
from seealso.types import Calibration, Space

ITEMS, DIMENSION = 300, 16
KNN_SPACE = {Space.COSINE: "innerproduct", Space.EUCLIDEAN: "l2", Space.MANHATTAN: "l1"}
WORDS = ("jazz", "blues", "folk", "opera", "swing", "choir", "fugue")


@dataclass(frozen=True)
class Catalogue:
    """Items of one space, in an index of their own."""

    cluster: Cluster
    index: str
    space: Space
    vectors: np.ndarray[Any, np.dtype[np.float32]]
    importance: np.ndarray[Any, np.dtype[np.float32]]
    user: np.ndarray[Any, np.dtype[np.float32]]

    def search(self, name: str, **params: Any) -> list[dict[str, Any]]:
        """Search by package and by stored template; both must find the same."""
        path = f"/{self.index}/_search"
        mine = self.cluster.request("POST", path, render(name, params))
        sent = orjson.loads(orjson.dumps(params, option=orjson.OPT_SERIALIZE_NUMPY))
        body = {"id": script_id(name), "params": sent}
        stored = self.cluster.request("POST", f"{path}/template", body)
        assert mine["hits"] == stored["hits"]
        hits: list[dict[str, Any]] = mine["hits"]["hits"]
        return hits

    def similarity(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """w * s of every item with the user, in double precision."""
        items, user = self.vectors.astype(np.float64), self.user.astype(np.float64)
        if self.space is Space.COSINE:
            closeness = items @ user / np.linalg.norm(items, axis=1) / np.linalg.norm(user)
        else:
            order = 2 if self.space is Space.EUCLIDEAN else 1
            closeness = 1 / (1 + np.linalg.norm(items - user, ord=order, axis=1))
        return np.asarray(self.importance * closeness)


def ids(hits: Sequence[dict[str, Any]]) -> list[str]:
    return [hit["_id"] for hit in hits]


def scores(hits: Sequence[dict[str, Any]]) -> list[float]:
    return [hit["_score"] for hit in hits]


def item_text(n: int) -> str:
    return f"{WORDS[n % 7]} {WORDS[n % 5]} number {n}"


def document(catalogue: Catalogue, n: int) -> dict[str, Any]:
    """Item n: every tenth has no vector, every seventh is tail, half of them are red."""
    scale = catalogue.importance[n] if catalogue.space is Space.COSINE else 1
    stored = {
        "item_id": f"i{n}",
        "text": item_text(n),
        "title": WORDS[n % 7],
        "colour": "red" if n % 2 else "blue",
        "importance": float(catalogue.importance[n]),
        "tail": n % 7 == 0,
    }
    if n % 10:
        stored["vector"] = catalogue.vectors[n] * scale
    return stored


@pytest.fixture
def catalogue(
    opensearch: NodeInfo, index_name: str, request: pytest.FixtureRequest
) -> Iterator[Catalogue]:
    space = getattr(request, "param", Space.COSINE)
    random = np.random.default_rng(11)
    vectors = random.normal(size=(ITEMS, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    importance = random.uniform(0.5, 2, size=ITEMS).astype(np.float32)
    user = (vectors[3] + vectors[14] / 2).astype(np.float32)
    cluster = Cluster(opensearch.url)
    made = Catalogue(cluster, index_name, space, vectors, importance, user / np.linalg.norm(user))
    settings = Settings(
        index={"space": space},
        catalogue={"text": ["title"], "keywords": ["colour"]},
    )
    cluster.request(
        "PUT",
        f"/{index_name}",
        derive_vectors(index_body(settings, {}, DIMENSION), cluster.version()),
    )
    lines: list[bytes] = []
    for n in range(ITEMS):
        lines.append(orjson.dumps({"index": {"_id": f"i{n}"}}))
        lines.append(orjson.dumps(document(made, n), option=orjson.OPT_SERIALIZE_NUMPY))
    bulk = b"\n".join(lines) + b"\n"
    answer = cluster.request("POST", f"/{index_name}/_bulk", bulk, {"refresh": "true"})
    assert not answer["errors"]
    install(cluster)
    yield made
    cluster.request("DELETE", f"/{index_name}")
    cluster.close()


def ranked(catalogue: Catalogue, allowed: Sequence[int] | None = None) -> list[int]:
    """Numbers of the items that have a vector, best first."""
    x = catalogue.similarity()
    chosen = [n for n in (range(ITEMS) if allowed is None else allowed) if n % 10]
    return sorted(chosen, key=lambda n: -x[n])


@pytest.mark.parametrize("catalogue", list(Space), indirect=True, ids=str)
def test_the_painless_reference_is_what_numpy_computes(catalogue: Catalogue) -> None:
    for b, t in ((None, None), (0, 1), (0.25, 0.5), (-1.5, 3)):
        calibration = Calibration(b or 0, t or 1)
        hits = catalogue.search(
            f"reference_{catalogue.space}", vector=catalogue.user, size=ITEMS, b=b, T=t
        )
        assert len(hits) == ITEMS - ITEMS // 10
        expected = calibration.probability(catalogue.similarity())
        numbers = [int(one[1:]) for one in ids(hits)]
        np.testing.assert_allclose(scores(hits), expected[numbers], rtol=0, atol=1e-5)
        assert numbers == ranked(catalogue)


def test_exact_and_ann_and_reference_rank_alike(catalogue: Catalogue) -> None:
    x = catalogue.similarity()
    best = ranked(catalogue)[:20]
    for name in ("reference_cosine", "exact", "ann"):
        hits = catalogue.search(name, vector=catalogue.user, size=20)
        assert [int(one[1:]) for one in ids(hits)] == best, name
        if name != "reference_cosine":
            expected = np.where(x >= 0, 1 + x, 1 / (1 - x))[best]
            np.testing.assert_allclose(scores(hits), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["reference_cosine", "exact", "ann"])
def test_exclude_and_filter_restrict_before_ranking(catalogue: Catalogue, name: str) -> None:
    red = [{"term": {"colour": "red"}}]
    best = ranked(catalogue)
    left_out = best[:30]
    for clauses, exclude in (
        (red, []),
        (None, left_out),
        (red, left_out),
        ([*red, {"range": {"importance": {"gte": 1.9}}}], []),
        ([], []),
    ):
        hits = catalogue.search(
            name,
            vector=catalogue.user,
            size=10,
            filter=clauses,
            exclude=[f"i{n}" for n in exclude],
            ef_search=100,
        )
        allowed = [n for n in best if n not in exclude and (not clauses or n % 2)]
        if clauses and len(clauses) == 2:
            allowed = [n for n in allowed if catalogue.importance[n] >= 1.9]
        assert [int(one[1:]) for one in ids(hits)] == allowed[:10]


@pytest.mark.parametrize("name", ["reference_cosine", "exact", "ann", "importance"])
def test_min_score_size_and_source(catalogue: Catalogue, name: str) -> None:
    full = catalogue.search(name, vector=catalogue.user, size=20)
    assert set(full[0]["_source"]) >= {"item_id", "text", "title", "colour", "importance", "tail"}
    assert all("vector" not in hit["_source"] for hit in full)
    threshold = (full[4]["_score"] + full[5]["_score"]) / 2
    best = catalogue.search(name, vector=catalogue.user, size=20, min_score=threshold)
    assert ids(best) == ids(full)[:5]
    assert catalogue.search(name, vector=catalogue.user, size=0, k=5) == []
    few = catalogue.search(name, vector=catalogue.user, size=1, source=["item_id"])
    assert few[0]["_source"] == {"item_id": ids(full)[0]}
    strip_collaborative = catalogue.search(name, vector=catalogue.user, size=1, source=[])
    assert strip_collaborative[0]["_source"] == full[0]["_source"]


@pytest.mark.parametrize("catalogue", list(Space), indirect=True, ids=str)
def test_named_items_are_ranked_by_boosted_values(catalogue: Catalogue) -> None:
    # i10 and i20 have no vector
    boosts = {f"i{n}": 0.4 * (n % 5) - 0.5 for n in range(2, 42)}
    x = catalogue.similarity()
    boosted = {n: x[n] + boosts[f"i{n}"] for n in range(2, 42) if n % 10}
    params = {
        "vector": catalogue.user,
        "space": KNN_SPACE[catalogue.space],
        "ids": list(boosts),
        "boosts": boosts,
        "exclude": ["i3"],
    }
    del boosted[3]
    best = sorted(boosted, key=lambda n: -boosted[n])
    hits = catalogue.search("boosted", size=ITEMS, **params)
    assert [int(one[1:]) for one in ids(hits)] == best
    np.testing.assert_allclose([raw_value(s) for s in scores(hits)],
                               [boosted[n] for n in best], rtol=0, atol=1e-5)  # fmt: skip
    red = [{"term": {"colour": "red"}}]
    least = score_of(boosted[best[6]] - 1e-4)
    few = catalogue.search("boosted", size=ITEMS, filter=red, min_score=least, **params)
    assert [int(one[1:]) for one in ids(few)] == [n for n in best[:7] if n % 2]


def test_ann_finds_k_neighbours_and_returns_size_of_them(catalogue: Catalogue) -> None:
    best = ranked(catalogue)
    hits = catalogue.search("ann", vector=catalogue.user, size=50, k=12, ef_search=200)
    # 2.19 returns everything that it looked at, max(k, ef_search)
    assert [int(one[1:]) for one in ids(hits)][:12] == best[:12]
    hits = catalogue.search("ann", vector=catalogue.user, size=5, k=12, ef_search=200)
    assert [int(one[1:]) for one in ids(hits)] == best[:5]


def test_related_items_are_exact_or_ann_without_the_item_itself(catalogue: Catalogue) -> None:
    stored = catalogue.cluster.request("GET", f"/{catalogue.index}/_source/i14")["vector"]
    x = catalogue.importance * (catalogue.vectors @ catalogue.vectors[14])
    others = sorted((n for n in range(ITEMS) if n % 10 and n != 14), key=lambda n: -x[n])
    for name in ("exact", "ann"):
        hits = catalogue.search(name, vector=stored, exclude=["i14"])
        assert [int(one[1:]) for one in ids(hits)] == others[:10]


@pytest.mark.parametrize("catalogue", list(Space), indirect=True, ids=str)
def test_tail_ranks_by_words_and_tells_the_similarity(catalogue: Catalogue) -> None:
    params = {"words": "jazz fugue", "size": ITEMS, "space": KNN_SPACE[catalogue.space]}
    hits = catalogue.search("tail", **params, vector=catalogue.user)
    matching = {n for n in range(ITEMS) if {"jazz", "fugue"} & set(item_text(n).split())}
    assert {int(one[1:]) for one in ids(hits)} == {n for n in matching if not (n % 7 and n % 10)}
    x = catalogue.similarity()
    for hit in hits:
        n = int(hit["_id"][1:])
        (told,) = hit["fields"]["x"]
        assert told == (pytest.approx(x[n], abs=1e-6) if n % 10 else None)
        assert hit["_source"]["item_id"] == hit["_id"]
        assert "vector" not in hit["_source"]
    alone = catalogue.search("tail", **params)
    assert (ids(alone), scores(alone)) == (ids(hits), scores(hits))
    assert all("fields" not in hit for hit in alone)
    first = catalogue.search("tail", **params, vector=catalogue.user, source=["title"])[0]
    assert first["fields"] == hits[0]["fields"]
    assert set(first["_source"]) == {"title"}


def test_tail_weight_adds_the_vector_score(catalogue: Catalogue) -> None:
    params = {"words": "jazz", "vector": catalogue.user, "size": ITEMS}
    plain = {hit["_id"]: hit["_score"] for hit in catalogue.search("tail", **params)}
    weighted = catalogue.search("tail", **params, weight=2.5)
    for hit in weighted:
        (x,) = hit["fields"]["x"]
        added = 0 if x is None else 1 + x if x >= 0 else 1 / (1 - x)
        assert hit["_score"] == pytest.approx(plain[hit["_id"]] + 2.5 * added, abs=1e-4)
    assert sorted(ids(weighted)) == sorted(plain)
    assert ids(weighted) != list(plain)


def test_tail_fields_exclude_and_filter(catalogue: Catalogue) -> None:
    red = [{"term": {"colour": "red"}}]
    every = catalogue.search("tail", words="jazz", size=ITEMS)
    titled = catalogue.search("tail", words="jazz", size=ITEMS, fields=["title^3"])
    assert {hit["_source"]["title"] for hit in titled} == {"jazz"}
    assert len(titled) < len(every)
    some = catalogue.search("tail", words="jazz", size=ITEMS, filter=red, exclude=["i7", "i35"])
    assert ids(some) == [i for i in ids(every) if int(i[1:]) % 2 and i not in ("i7", "i35")]
    assert catalogue.search("tail", words="") == []
    assert catalogue.search("tail", words='</script> {{x}} " \n OR *:*') == []


def test_importance_scores_by_importance(catalogue: Catalogue) -> None:
    hits = catalogue.search("importance", size=ITEMS, exclude=["i0"])
    order = sorted(range(1, ITEMS), key=lambda n: -catalogue.importance[n])
    assert [int(one[1:]) for one in ids(hits)] == order
    assert scores(hits) == pytest.approx(catalogue.importance[order].tolist(), abs=1e-6)


def test_msearch_answers_each_body_in_order(catalogue: Catalogue) -> None:
    bodies = [
        render("exact", {"vector": catalogue.user, "size": 3}),
        render("tail", {"words": "jazz\nblues", "size": 2}),
    ]
    answers = catalogue.cluster.request("POST", "/_msearch", msearch(catalogue.index, bodies))
    for body, answer in zip(bodies, answers["responses"], strict=True):
        single = catalogue.cluster.request("POST", f"/{catalogue.index}/_search", body)
        assert answer["hits"] == single["hits"]


@pytest.mark.alone
def test_install_writes_what_is_missing_or_outdated_and_only_that(catalogue: Catalogue) -> None:
    cluster = catalogue.cluster
    assert installed(cluster) == dict.fromkeys(names(), "current")
    cluster.request("DELETE", "/_scripts/seealso-ann")
    outdated = {"script": {"lang": "mustache", "source": "{}"}}
    cluster.request("PUT", "/_scripts/seealso-tail", outdated)
    states = installed(cluster)
    assert (states["ann"], states["tail"], states["exact"]) == ("missing", "outdated", "current")
    assert install(cluster) == [name for name in names() if name in ("ann", "tail")]
    assert install(cluster) == []
    stored = cluster.request("GET", "/_scripts/seealso-tail")["script"]
    assert stored == {"lang": "mustache", "source": source("tail")}
