"""Encoding speed against SentenceTransformer.encode with its defaults: same model, same texts.

Short texts are film titles; mixed ones are titles joined to between 5 and 128 tokens.
"""

import csv
import gzip
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import (
    Figure,
    Report,
    SystemBuilder,
    Target,
    figure,
    int8_instructions,
    machine,
    take_turns,
    times,
)
from seealso.choices import WHEEL
from seealso.config import EncoderSettings
from seealso.encoder import Bundle, BundleStore, Encoder, VectorCache
from seealso.encoder.encoder import cached_as
from seealso.errors import MissingExtraError
from seealso.training import export, load_backbone
from seealso.training.backbones.folders import place_of

ROOT = Path(__file__).parents[1]
TITLES = ROOT / "examples" / "ml-latest-small" / "movies.csv.gz"
RESULT = Path(__file__).parent / "results" / "encoding.json"
SHORT = 512
MIXED = 128
ROUNDS = 5
SINGLE_ROUNDS = 150
BASELINE = "sentence-transformers"


def run() -> dict[str, Any]:
    """Measure all figures; the model is exported into a temporary folder first.

    Returns
    -------
    dict
        A `Report`: setting, machine and figures.
    """
    with tempfile.TemporaryDirectory() as folder:
        backbone = load_backbone(WHEEL, pooling="auto", max_length=None)
        bundle = export(backbone, "minilm", BundleStore(Path(folder) / "bundles"))
        cache = VectorCache(Path(folder) / "vectors.sqlite")
        return _report(bundle, cache).as_dict()


def _report(bundle: Bundle, cache: VectorCache) -> Report:
    facts = machine()
    encode = _encoders(bundle)
    titles = _titles()
    short = titles[:SHORT]
    mixed = list(_joined(titles, Encoder(bundle).count_tokens))
    figures = [
        *_throughput("short texts", short, encode, Target("at least", 3, "aim")),
        *_throughput("mixed texts", mixed, encode, Target("at least", 2, "aim")),
        *_single(titles, bundle, encode[BASELINE]),
        _cached(titles, bundle, cache),
    ]
    setting = {
        "model": WHEEL,
        "baseline": f"SentenceTransformer.encode, defaults, {_version('sentence-transformers')}",
        "onnxruntime": _version("onnxruntime"),
        "torch": _version("torch"),
        "short": f"{len(short)} film titles",
        "mixed": f"{len(mixed)} texts of 5 to 128 tokens",
        "tokens per batch": EncoderSettings().tokens_per_batch,
        "int8 instructions": int8_instructions(),
    }
    return Report("encoding", "Encoding", setting, facts, tuple(figures))


def _encoders(bundle: Bundle) -> dict[str, Callable[[list[str]], object]]:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as exc:
        raise MissingExtraError.of("sentence-transformers", "bench") from exc
    baseline = SentenceTransformer(place_of(WHEEL), device="cpu")
    budget = EncoderSettings().tokens_per_batch
    return {
        BASELINE: lambda texts: baseline.encode(texts, show_progress_bar=False),
        "fp32": Encoder(bundle, tokens_per_batch=budget).encode_items,
        "int8": Encoder(bundle, precision="int8", tokens_per_batch=budget).encode_items,
    }


def _throughput(
    what: str, texts: list[str], encode: dict[str, Callable[[list[str]], object]], target: Target
) -> list[Figure]:
    def builder(name: str) -> SystemBuilder:
        return lambda _: encode[name](texts)

    seconds = take_turns({name: builder(name) for name in encode}, ROUNDS, warm_up=1)
    rates = [figure(f"{what}, {name}", "1/s", len(texts) / seconds[name]) for name in encode]
    ratios = [
        figure(f"{what}, {name} against {BASELINE}", "x", seconds[BASELINE] / seconds[name], target)
        for name in ("fp32", "int8")
    ]
    return [*rates, *ratios]


def _single(
    titles: list[str], bundle: Bundle, baseline: Callable[[list[str]], object]
) -> list[Figure]:
    fp32, int8 = Encoder(bundle), Encoder(bundle, precision="int8")
    # a new text each round: a known one would come from memory
    builders: dict[str, SystemBuilder] = {
        BASELINE: lambda turn: baseline([titles[turn]]),
        "fp32": lambda turn: fp32.encode_users([titles[turn]]),
        "int8": lambda turn: int8.encode_users([titles[turn]]),
    }
    seconds = take_turns(builders, SINGLE_ROUNDS, warm_up=5)
    return [times(f"one short user text, {name}", seconds[name]) for name in builders]


def _cached(titles: list[str], bundle: Bundle, cache: VectorCache) -> Figure:
    width = bundle.dimension
    known = np.random.default_rng(0).normal(size=(len(titles), width)).astype(np.float32)
    cache.put_many(cached_as(bundle, "fp32"), titles, known)
    encoder = Encoder(bundle, cache=cache)
    seconds = take_turns({"known": lambda _: encoder.encode_items(titles)}, ROUNDS, warm_up=1)
    return figure("texts known to the cache", "1/s", len(titles) / seconds["known"])


def _titles() -> list[str]:
    with gzip.open(TITLES, "rt", encoding="utf-8") as lines:
        titles = dict.fromkeys(row["title"] for row in csv.DictReader(lines))
    return [str(title) for title in np.random.default_rng(5).permutation(list(titles))]


def _joined(titles: list[str], count: Callable[[str], int]) -> Iterator[str]:
    rng = np.random.default_rng(6)
    for length in rng.integers(5, 129, size=MIXED):
        text = ""
        while count(longer := f"{text} {rng.choice(titles)}".strip()) <= length:
            text = longer
        yield text or str(rng.choice(titles)).split("(")[0]


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def main() -> None:
    """Measure, print the figures and write benchmarks/results/encoding.json."""
    found = run()
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    for each in found["figures"]:
        print(f"{each['what']:<52} {each['median']:10,.2f} {each['unit']:<4} "
              f"[{each['p10']:,.2f} .. {each['p90']:,.2f}]")  # fmt: skip


if __name__ == "__main__":
    main()
