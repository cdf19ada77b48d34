"""The template files: which there are, and their text as the cluster stores it.

A ``.mustache`` file names a script by ``{{> file.painless }}``; OpenSearch knows no partials,
so the script's text takes that place as a JSON string.
"""

import re
from functools import cache
from importlib.resources import files

import orjson

from seealso.errors import TemplateError

FOLDER = files("seealso.query_templates")
SUFFIX = ".mustache"
SCRIPT = re.compile(r"\{\{>\s*(\S+\.painless)\s*\}\}")


@cache
def names() -> tuple[str, ...]:
    """Return the names of all templates, sorted."""
    found = (entry.name for entry in FOLDER.iterdir())
    return tuple(sorted(name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX)))


def script_id(name: str) -> str:
    """Return the id under which the cluster stores template `name`."""
    return f"seealso-{name}"


@cache
def source(name: str) -> str:
    """Return the mustache text of template `name`, its painless script inlined.

    Raises
    ------
    TemplateError
        There is no such template.
    """
    if name not in names():
        raise TemplateError(
            f"{name}: no such query template", hint=f"there are {', '.join(names())}", template=name
        )
    text = FOLDER.joinpath(name + SUFFIX).read_text(encoding="utf-8")
    return SCRIPT.sub(lambda marker: _json_string(marker[1]), text)


def _json_string(script: str) -> str:
    return orjson.dumps(FOLDER.joinpath(script).read_text(encoding="utf-8").strip()).decode()
