"""The message in place of an empty list: what was left out of the index."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from seealso.wording import format_count

if TYPE_CHECKING:
    from seealso.plugin import Recommender


def nothing_left(recommender: "Recommender", left_out: str, options: Mapping[str, object]) -> str:
    """Return why there is nothing to recommend, in a sentence.

    Parameters
    ----------
    recommender
        Who was asked: its index, the rules of its settings and ``safety``.
    left_out
        What no list of this kind shows, for instance what was seen; empty for nothing.
    options
        Those of the list.
    """
    live, settings = recommender.live, recommender.settings
    safety = settings.safety
    narrowed = {
        "--filter": options.get("filters"),
        "--exclude": options.get("exclude"),
        "--rule": options.get("rules"),
        "--min-probability": options.get("min_probability") is not None,
        "the rules of the settings": settings.rules and not options.get("without_rules"),
        "the blocklist": safety.blocklist,
        "[safety] of the settings": safety.fields or safety.words or safety.age or safety.region,
    }
    by = [name for name, narrows in narrowed.items() if narrows]
    without = [left_out] if left_out else []
    without += [f"what is left out by {', '.join(by)}"] if by else []
    holds = f"{live.name} holds {format_count(live.documents, 'item')}"
    sentence = f"nothing left to recommend: {holds}"
    if without:
        sentence += f", without {' and '.join(without)}"
    return sentence
