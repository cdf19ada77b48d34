"""What encodes the texts of a catalogue, by name."""

from seealso.choices import Engine
from seealso.errors import ConfigError
from seealso.indexer.ahead import EncodeAhead
from seealso.indexer.on_ray import encode_on_ray
from seealso.indexer.ray_session import require_ray


def find_engine(name: Engine) -> EncodeAhead | None:
    """Return what encodes ahead of a build; nothing does where the build itself encodes.

    Raises
    ------
    ConfigError
        There is no such engine.
    MissingExtraError
        It is not installed.
    """
    if name == "local":
        return None
    if name != "ray":
        raise ConfigError(
            f"engine: must be local or ray, not {name!r}",
            hint="texts that other engines have encoded are read by --vectors",
            field="engine",
        )
    require_ray()
    return encode_on_ray
