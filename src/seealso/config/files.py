"""Reads settings files: paths beside them, and tables that another source empties."""

import os
import tomllib
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic_settings import TomlConfigSettingsSource

from seealso.config.section import Section
from seealso.decoding import decode

BESIDE: Final[Mapping[str, tuple[str, ...]]] = {
    "catalogue": ("path",),
    "events": ("path",),
    "images": ("path", "ids", "folder", "bundle"),
    "users": ("path",),
    "groups": ("path",),
    "taxonomy": ("path",),
    "safety": ("blocklist",),
}
"""Settings whose paths are relative to the settings file."""


class BesideFile(TomlConfigSettingsSource):
    """Reads TOML files; paths of catalogue, events, images, users and groups are relative."""

    def _read_file(self, file_path: Path | Traversable) -> dict[str, Any]:
        found: dict[str, Any] = tomllib.loads(decode(file_path.read_bytes()))
        for section, names in BESIDE.items():
            for name in names:
                named = found.get(section, {}).get(name)
                if isinstance(named, str):
                    found[section][name] = os.path.normpath(Path(str(file_path)).parent / named)
        return found

    def __call__(self) -> dict[str, Any]:
        """Return what the file says, without the tables that are emptied above it."""
        return _drop_emptied(self.settings_cls, super().__call__(), self.current_state)


def _drop_emptied(
    section: type[BaseModel], below: Mapping[str, Any], above: Mapping[str, Any]
) -> dict[str, Any]:
    """Return `below` without each table that is empty in `above`: merged, it would come back.

    An empty section changes nothing: its settings are given one by one.
    """
    found = dict(below)
    for name, value in above.items():
        if name not in found or name not in section.model_fields:
            continue
        kind = section.model_fields[name].annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            if isinstance(value, Mapping) and isinstance(found[name], Mapping):
                found[name] = _drop_emptied(kind, found[name], value)
        elif value == {}:
            del found[name]
    return found
