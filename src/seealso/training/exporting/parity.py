"""Does an exported model compute what the original computes? Asked before a bundle exists.

The original reads one text at a time in torch; the bundle reads them padded, as it will live. A
graph that was written without torch is itself the original: tests hold it against torch.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from seealso.encoder import LEAST_INT8_HEAD, Bundle, Encoder
from seealso.errors import ParityError
from seealso.training.backbones.bert import StoredBert
from seealso.training.backbones.graph import pooled
from seealso.training.backbones.sources import Backbone
from seealso.types import Vector

LEAST_FP32: Final = 0.999
"""Least cosine of any text."""
LEAST_INT8: Final = 0.98
"""Least mean cosine; behind a head, it is `LEAST_INT8_HEAD`."""

_SENTENCES: Final = (
    "Toy Story (1995)",
    "Crime, drama",
    "x",
    "A wireless mouse with six buttons, adjustable weight and a braided cable.",
    "The council met on Tuesday to discuss the new bridge across the river.",
    "Piano Sonata No. 14 in C-sharp minor, 'Quasi una fantasia', Op. 27 No. 2",
    "500 g, 12 x 8 x 3 cm, 220-240 V, EAN 4006381333931",
    "«Le fabuleux destin d'Amélie Poulain» est un film français sorti en 2001.",
    "无线鼠标，六个按键，可调重量。",
    "Über allen Gipfeln ist Ruh, in allen Wipfeln spürest du kaum einen Hauch.",
    "How do I replace the battery of a smoke detector that keeps beeping at night?",
    "ALL CAPITALS!!! AND ??? punctuation... #tags @names e-mail@example.org",
)


def parity_texts() -> list[str]:
    """Return texts of one to some two hundred words, for the comparison."""
    joined = [" ".join(_SENTENCES[:n]) for n in range(2, len(_SENTENCES) + 1)]
    return [*_SENTENCES, *joined, " ".join(_SENTENCES * 3)]


def check_parity(backbone: Backbone | StoredBert, bundle: Bundle) -> dict[str, float]:
    """Compare both twins of `bundle` with the original.

    Returns
    -------
    dict
        ``int8_mean`` and, of a model in torch, ``fp32_least``: cosines over the texts.

    Raises
    ------
    ParityError
        A twin is not close enough.
    """
    texts = parity_texts()
    fp32, int8 = (Encoder(bundle, precision=one).raw_items(texts) for one in ("fp32", "int8"))
    found = {}
    expected = fp32
    if not isinstance(backbone, StoredBert):
        expected = _original(backbone, texts)
        found["fp32_least"] = (fp32 * expected).sum(axis=1).min()
    found["int8_mean"] = (int8 * expected).sum(axis=1).mean()
    least_int8 = LEAST_INT8 if backbone.head is None else LEAST_INT8_HEAD
    limits = {"fp32_least": LEAST_FP32, "int8_mean": least_int8}
    for name, cosine in found.items():
        limit = limits[name]
        if not cosine >= limit:
            raise ParityError(
                f"{backbone.source}: the exported model differs from the original: cosine "
                f"{cosine:.4f} ({name.replace('_', ' ')}), at least {limit} expected",
                hint=f"try another {backbone.named.pooling} or {backbone.named.max_length}, "
                "and report the model",
                caller_hint=None,
                **{key: float(value) for key, value in found.items()},
            )
    return {name: round(float(value), 6) for name, value in found.items()}


def _original(backbone: Backbone, texts: Sequence[str]) -> Vector:
    import torch

    model = pooled(backbone)
    rows = []
    with torch.inference_mode():
        for text in texts:
            read = backbone.tokenizer(
                text, truncation=True, max_length=backbone.max_length, return_tensors="pt"
            )
            rows.append(model(read["input_ids"], read["attention_mask"])[0].numpy())
    return np.stack(rows)
