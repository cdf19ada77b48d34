"""An evaluation as one page to read, with plots, and as JSON: both hold the same figures.

The page needs no network: its policy forbids it, and every script stands in it. It follows the
light or dark setting of whoever reads it, and is readable without any script.
"""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import orjson
from jinja2 import Environment

from seealso.errors import MissingExtraError
from seealso.evaluation.report.tables import changed_settings, facts
from seealso.evaluation.results import Evaluation
from seealso.folders import write_whole

REPORT: Final = "report.html"
FIGURES: Final = "evaluation.json"


def require_plots() -> None:
    """Check that a report can be drawn.

    Raises
    ------
    MissingExtraError
        plotly is not installed.
    """
    if find_spec("plotly") is None:
        raise MissingExtraError.of("plotly", "evaluate")


def write_report(found: Evaluation, folder: Path) -> Path:
    """Write ``report.html`` and ``evaluation.json``; each of them is there whole or not at all.

    Parameters
    ----------
    found
        What an evaluation found, with one protocol at least.
    folder
        Where to; made if need be.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    MissingExtraError
        plotly is not installed.
    """
    page = as_page(found).encode("utf-8", "replace")
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / FIGURES, orjson.dumps(found, option=orjson.OPT_INDENT_2))
    return write_whole(folder / REPORT, page)


def as_page(found: Evaluation) -> str:
    """Return the report as HTML.

    Raises
    ------
    MissingExtraError
        plotly is not installed.
    """
    require_plots()
    from plotly.offline import get_plotlyjs

    from seealso.evaluation.report.chapters import chapters

    plotly, script = get_plotlyjs(), _read("page.js")
    return (
        Environment(autoescape=True)
        .from_string(_read("page.html"))
        .render(
            policy=_policy(plotly, script),
            style=_read("page.css"),
            chapters=chapters(found.protocols),
            number="{:,}".format,
            facts=list(facts(found.data)),
            changed=changed_settings(found.changed),
            plotly=plotly,
            script=script,
        )
    )


def _read(name: str) -> str:
    return (files("seealso.evaluation.report") / name).read_text(encoding="utf-8")


def _policy(*scripts: str) -> str:
    """Return a content security policy that lets these scripts run and nothing be fetched."""
    digests = [b64encode(sha256(one.encode()).digest()).decode() for one in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"
    )
