"""How good recommendations are, beside others: protocols, baselines, metrics and reports."""

from typing import Final

PROTOCOLS: Final = ("leave-one-out", "temporal", "cold", "few-shot")
"""How events are kept back and asked about."""

BASELINES: Final = (
    "popularity", "itemknn", "ease", "ials", "ials-ridge", "bm25", "text", "sasrec",
)  # fmt: skip
"""The systems that stand beside the index."""
