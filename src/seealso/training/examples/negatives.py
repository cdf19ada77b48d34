"""Hard negatives: items that the index finds similar, but that no user chose together.

In-batch negatives are mostly easy. The neighbours of an item by its vector and by its words are
what a better model has to tell from what people really choose next.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
import orjson

from seealso.cluster import Cluster, fetch, indices
from seealso.config import Settings
from seealso.datasets.dataset import Dataset
from seealso.errors import ClusterError, ConfigError, DataError
from seealso.log import logger, progress
from seealso.query_templates import msearch, render
from seealso.training.examples.pairs import Pair

log = logger(__name__)

Neighbours = Mapping[int, Sequence[int]]
"""For items of the catalogue, by position: others that are alike, the hardest first."""

_FILE: Final = "neighbours.json"


_ITEMS_AT_ONCE: Final = 100


_ASKED: Final = 50
"""Neighbours asked of the graph, and of the words: most of the first ones were chosen together."""


_WORDS: Final = 32


_DRAWS: Final = 20


def neighbours_of(
    cluster: Cluster | None, settings: Settings, dataset: Dataset, folder: Path
) -> Neighbours:
    """Mine the live index, or return what an earlier part of the same run has mined.

    Parameters
    ----------
    cluster
        Where the index is.
    settings
        ``training.hard_negatives`` and ``index.alias`` are used.
    dataset
        What is learnt: only its training events decide on what was chosen together.
    folder
        Of the run: a continued run learns from the same negatives.

    Returns
    -------
    Mapping
        Empty if no hard negatives are wanted.

    Raises
    ------
    ConfigError
        They are wanted, and no cluster is given.
    ClusterError
        No index is live, or it refuses a search.
    DataError
        The index has none of the items.
    """
    count = settings.training.hard_negatives
    if not count:
        return {}
    file = folder / _FILE
    if file.is_file():
        return dict(orjson.loads(file.read_bytes()))
    if cluster is None:
        raise ConfigError(
            "training.hard_negatives needs a cluster with a live index",
            hint="set it to 0, or give a cluster",
            field="training.hard_negatives",
        )
    found = mine(cluster, settings.index.alias, dataset, most=4 * count)
    folder.mkdir(parents=True, exist_ok=True)
    half = file.with_suffix(".partial")
    half.write_bytes(orjson.dumps(list(found.items())))
    half.replace(file)
    return found


def mine(cluster: Cluster, alias: str, dataset: Dataset, *, most: int) -> dict[int, list[int]]:
    """Return up to `most` neighbours of each item that was chosen, by vector and by words in turn.

    Raises
    ------
    ClusterError, DataError
        As `neighbours_of` does.
    """
    name = indices.find_live(cluster, alias)
    if name is None:
        raise ClusterError(
            f"{alias}: no index is live: training.hard_negatives cannot be mined",
            hint="run `seealso index build` first, or set training.hard_negatives = 0",
            alias=alias,
        )
    users = _users(dataset)
    items = sorted(users)
    found: dict[int, list[int]] = {}
    known = 0
    with progress("mining negatives", len(items)) as tick:
        for start in range(0, len(items), _ITEMS_AT_ONCE):
            chunk = items[start : start + _ITEMS_AT_ONCE]
            vectors = _vectors(cluster, name, [dataset.catalogue.ids[item] for item in chunk])
            known += len(vectors)
            for item, *alike in _alike(cluster, name, dataset, chunk, vectors):
                # a user of both keeps two items together, the item itself among them
                apart = [
                    [one for one in each if users[item].isdisjoint(users.get(one, ()))]
                    for each in alike
                ]
                if kept := _in_turn(apart)[:most]:
                    found[item] = kept
            tick(len(chunk))
    if not known:
        raise DataError(
            f"{name}: has none of the {len(items):,} items that were chosen",
            hint="check that index.alias names the index of this catalogue",
            index=name,
        )
    log.info("hard negatives for %d of %d items, %d of them in %s", len(found), len(items), known,
             name)  # fmt: skip
    return found


def drawn(
    pairs: Sequence[Pair], neighbours: Neighbours, dataset: Dataset, *, each: int, seed: int
) -> list[tuple[int, ...]]:
    """Return `each` negatives of every pair, the same ones for the same seed.

    They are drawn from the neighbours of the positive item; where these do not suffice, from
    all items that nobody chose with it.

    Raises
    ------
    DataError
        The catalogue is too small.
    """
    if each and len(dataset.catalogue.ids) < each + 2:
        raise DataError(
            f"{len(dataset.catalogue.ids)} items are too few for {each} hard negatives",
            hint="lower training.hard_negatives",
        )
    users = _users(dataset) if each else {}
    rng = Random(seed)  # noqa: S311
    return [_of_pair(pair, neighbours, users, dataset, each, rng) for pair in pairs]


def _of_pair(
    pair: Pair,
    neighbours: Neighbours,
    users: Mapping[int, set[int]],
    dataset: Dataset,
    each: int,
    rng: Random,
) -> tuple[int, ...]:
    out = {pair.positive, *pair.anchor}
    hard = [one for one in neighbours.get(pair.positive, ()) if one not in out]
    chosen = rng.sample(hard, min(each, len(hard)))
    own = users.get(pair.positive, set())
    tries = 0
    while len(chosen) < each:
        one = rng.randrange(len(dataset.catalogue.ids))
        tries += 1
        # where everybody chose everything, any other item has to do
        both_chosen = tries <= _DRAWS * each and not own.isdisjoint(users.get(one, ()))
        if one not in chosen and one != pair.positive and not both_chosen:
            chosen.append(one)
    return tuple(chosen)


def _users(dataset: Dataset) -> dict[int, set[int]]:
    """Return who chose each item, in what may be learnt."""
    users: dict[int, set[int]] = {}
    for user, sequence in enumerate(dataset.sequences):
        for item in sequence:
            users.setdefault(item, set()).add(user)
    return users


def _in_turn(lists: Sequence[Sequence[int]]) -> list[int]:
    """Return all entries, the first of each list first, each once."""
    mixed = chain.from_iterable(zip_longest(*lists))
    return list(dict.fromkeys(one for one in mixed if one is not None))


def _vectors(cluster: Cluster, index: str, ids: Sequence[str]) -> dict[str, list[float]]:
    hits = fetch(cluster, index, ids, source=["vector"])
    return {item_id: hit["_source"].get("vector") or [] for item_id, hit in hits.items()}


def _alike(
    cluster: Cluster,
    index: str,
    dataset: Dataset,
    items: Sequence[int],
    vectors: Mapping[str, Sequence[float]],
) -> Iterator[tuple[int, list[int], list[int]]]:
    """Yield each item that is in the index with its neighbours, by vector and by words."""
    catalogue = dataset.catalogue
    there = [item for item in items if catalogue.ids[item] in vectors]
    bodies = []
    for item in there:
        vector = np.asarray(vectors[catalogue.ids[item]], dtype=np.float32)
        # an item without a vector has words at least
        by_vector = _by_vector(vector) if vector.any() else _by_words("")
        bodies += [by_vector, _by_words(catalogue.texts[item])]
    if not bodies:
        return
    answers = cluster.request("POST", "/_msearch", msearch(index, bodies))["responses"]
    found = [_places(answer, index, dataset) for answer in answers]
    yield from zip(there, found[::2], found[1::2], strict=True)


def _by_vector(vector: Any) -> bytes:
    return render("ann", {"size": _ASKED, "k": _ASKED, "vector": vector, "source": ["item_id"]})


def _by_words(text: str) -> bytes:
    words = " ".join(text.split()[:_WORDS])
    return orjson.dumps(
        {"size": _ASKED, "_source": False, "query": {"match": {"text": {"query": words}}}}
    )


def _places(answer: Mapping[str, Any], index: str, dataset: Dataset) -> list[int]:
    if "error" in answer:
        raise ClusterError(
            f"{index}: a search for neighbours was refused: {answer['error'].get('reason')}",
            hint="`seealso doctor` checks the index",
            index=index,
        )
    place = dataset.catalogue.place
    return [place[hit["_id"]] for hit in answer["hits"]["hits"] if hit["_id"] in place]
