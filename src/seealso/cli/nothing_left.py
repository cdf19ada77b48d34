"""What is said in place of an empty list: what was left out of the index."""

from collections.abc import Mapping
from typing import Any

from seealso.config import Settings


def nothing_left(
    index: str, documents: int, taken: str, wishes: Mapping[str, Any], settings: Settings
) -> str:
    """Return why there is nothing to recommend, in a sentence.

    Parameters
    ----------
    index, documents
        What was asked, and how many items it holds.
    taken
        What no list of this kind shows, for instance what was seen; empty for nothing.
    wishes
        As `Recommender.recommend` takes them.
    settings
        Their rules and ``[safety]`` count as well.
    """
    safety = settings.safety
    narrowed = {
        "--filter": wishes.get("filters"),
        "--rule": wishes.get("rules"),
        "--min-probability": wishes.get("min_probability") is not None,
        "the rules of the settings": settings.rules and not wishes.get("without_rules"),
        "the blocklist": safety.blocklist,
        "[safety] of the settings": safety.fields or safety.words or safety.age or safety.region,
    }
    by = [name for name, given in narrowed.items() if given]
    left_out = [
        *([taken] if taken else []),
        *([f"what is left out by {', '.join(by)}"] if by else []),
    ]
    told = f"nothing left to recommend: {index} holds {documents:,} item"
    told += "" if documents == 1 else "s"
    return f"{told}, without {' and '.join(left_out)}" if left_out else told
