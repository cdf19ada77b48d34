"""One frozen settings object, read from the command line, the environment and TOML files.

Order of precedence: arguments given in code (the command line) > environment variables
``SEEALSO_<SECTION>__<NAME>`` > ``seealso.local.toml`` > ``seealso.toml``.
Secrets come from the environment only.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self, cast

from pydantic import ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from seealso.config.asking import ProfileSettings, RecommendSettings
from seealso.config.cluster import ClusterSettings
from seealso.config.files import BesideFile
from seealso.config.fitting import FitSettings
from seealso.config.groups import GroupSettings
from seealso.config.images import ImagesSettings
from seealso.config.indexing import EncoderSettings, ImportanceSettings, IndexSettings
from seealso.config.inputs import CatalogueSettings, EventSettings, TextSettings, item_template
from seealso.config.live import LiveSettings, UbiSettings
from seealso.config.personalise import PersonaliseSettings
from seealso.config.rules import ExposureSettings, Rule, TaxonomySettings
from seealso.config.safety import SafetySettings
from seealso.config.section import Section, describe_first_refusal, refusals
from seealso.config.service import ServiceSettings
from seealso.config.training import TrainingSettings
from seealso.config.users import NeighbourSettings, UsersSettings
from seealso.errors import ConfigError

FITTED: Final[Mapping[str, tuple[type[Section], frozenset[str]]]] = {
    "profile": (ProfileSettings, frozenset({"recency", "tail_recency"})),
    "importance": (ImportanceSettings, frozenset({"floor", "ceiling", "half_life_days"})),
    "neighbours": (NeighbourSettings, frozenset({"share", "k", "latest"})),
    "groups": (GroupSettings, frozenset({"strategy", "seen", "own_weight"})),
}
"""The settings that a bundle may bring: what `fit` finds out. No others can come from elsewhere."""


RENAMED: Final = {"crowd": "neighbours"}
"""Sections that earlier versions called otherwise."""

REMOVED: Final = {
    "training.hard_negatives": "leave it out: mined negatives gained nothing, version 0.2 has none"
}
"""Settings of earlier versions, and what to do instead."""


class Settings(BaseSettings):
    """Every setting of seealso."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="SEEALSO_",
        env_nested_delimiter="__",
        toml_file=("seealso.toml", "seealso.local.toml"),
        use_attribute_docstrings=True,
    )

    catalogue: CatalogueSettings = CatalogueSettings()
    events: EventSettings = EventSettings()
    text: TextSettings = TextSettings()
    images: ImagesSettings = ImagesSettings()
    encoder: EncoderSettings = EncoderSettings()
    importance: ImportanceSettings = ImportanceSettings()
    index: IndexSettings = IndexSettings()
    profile: ProfileSettings = ProfileSettings()
    recommend: RecommendSettings = RecommendSettings()
    users: UsersSettings = UsersSettings()
    neighbours: NeighbourSettings = NeighbourSettings()
    live: LiveSettings = LiveSettings()
    ubi: UbiSettings = UbiSettings()
    groups: GroupSettings = GroupSettings()
    personalise: PersonaliseSettings = PersonaliseSettings()
    service: ServiceSettings = ServiceSettings()
    rules: tuple[Rule, ...] = ()
    """Rules for every list: ``[[rules]]``, each with ``do`` and the items or field that it names;
    see docs/how-to/rules.md."""
    taxonomy: TaxonomySettings = TaxonomySettings()
    exposure: ExposureSettings = ExposureSettings()
    safety: SafetySettings = SafetySettings()
    training: TrainingSettings = TrainingSettings()
    fit: FitSettings = FitSettings()
    cluster: ClusterSettings = ClusterSettings()
    node_root: Path = Path(".seealso/node")
    """Folder of the embedded node: its data and logs."""

    @model_validator(mode="after")
    def _read_named_texts(self) -> Self:
        """Let the model read the text columns, if no template is set."""
        if "item" not in self.text.model_fields_set:
            text = self.text.model_copy(update={"item": item_template(self.catalogue.text)})
            text.__pydantic_fields_set__.discard("item")
            # frozen for everybody else
            self.__dict__["text"] = text
        return self

    @property
    def fit_name(self) -> str:
        """Name of the fitted bundle: ``fit.name``, or one that only this alias has.

        A store can be shared: the fit of one catalogue ranks another one wrong.
        """
        return self.fit.name or f"fitted-{self.index.alias}"

    @property
    def tuned_name(self) -> str:
        """Name of the fine-tuned model: ``training.name``, or one that only this alias has.

        Two aliases of one store would train it over each other.
        """
        return self.training.name or f"tuned-{self.index.alias}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the TOML files below the environment."""
        files = cast("tuple[str | Path, ...]", settings_cls.model_config["toml_file"])
        # the local one, which is the second, wins
        sources = (BesideFile(settings_cls, file) for file in reversed(files))
        return init_settings, env_settings, *sources


def load_settings(
    file: str | os.PathLike[str] | None = None,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
) -> Settings:
    """Read the settings.

    Parameters
    ----------
    file
        The settings file; ``seealso.toml`` of the working folder by default. A
        ``.local.toml`` beside it takes precedence.
    overrides
        ``{section: {name: value}}``, above everything else (the command line).

    Raises
    ------
    ConfigError
        A file is missing or not TOML, or a setting is unknown or out of range.
    """
    main = Path(file or "seealso.toml")
    if file is not None and not main.is_file():
        raise ConfigError(f"{main}: no such settings file", hint="check the path", file=str(main))
    files = (main, main.with_suffix(".local.toml"))

    class Chosen(Settings):
        model_config = SettingsConfigDict(toml_file=files)

    try:
        changes = {
            k: dict(v) if isinstance(v, Mapping) else v for k, v in (overrides or {}).items()
        }
        read = Chosen(**changes)  # type: ignore[arg-type]
        # of the one class that other processes know
        return Settings.model_construct(read.model_fields_set, **dict(read))
    except ValidationError as exc:
        raise _readable(exc, main, overrides or {}) from exc
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ConfigError(f"{main}: {reason}", hint="check the file", file=str(main)) from exc
    except ValueError as exc:  # tomllib.TOMLDecodeError among them
        raise ConfigError(
            f"{main}: {exc}", hint="see docs/reference/settings.md", file=str(main)
        ) from exc


def with_fitted(settings: Settings, fitted: Mapping[str, Mapping[str, Any]]) -> Settings:
    """Return `settings` with the values that were fitted, where a person set nothing.

    Parameters
    ----------
    settings
        The settings.
    fitted
        ``{section: {name: value}}``, as a bundle carries them.

    Raises
    ------
    ConfigError
        Together with what a person set, they make no sense.
    """
    sections = {}
    for name, values in fitted.items():
        section: Section = getattr(settings, name)
        own = section.model_fields_set
        there = {key: getattr(section, key) for key in type(section).model_fields}
        open_ = {key: value for key, value in values.items() if key not in own}
        try:
            changed = type(section).model_validate({**there, **open_})
        except ValidationError as exc:
            raise ConfigError(
                f"{name}: the fitted values of the bundle contradict the settings: "
                f"{describe_first_refusal(exc)}",
                hint=f"set {', '.join(sorted(open_))} of [{name}] as well, or fit the bundle again",
                field=name,
            ) from exc
        # what is fitted once must not count as set by a person
        changed.__pydantic_fields_set__.intersection_update(own)
        sections[name] = changed
    return settings.model_copy(update=sections)


def check_fitted(fitted: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    """Return what a bundle says was fitted, if it is nothing else than that.

    Parameters
    ----------
    fitted
        ``{section: {name: value}}`` from a bundle, which may come from anybody.

    Raises
    ------
    ValueError
        A section or setting is none that is fitted, or a value is not one that it can have.
    """
    for name, values in fitted.items():
        if name not in FITTED:
            raise ValueError(f"{name!r} is not a section that is fitted")
        section, names = FITTED[name]
        if odd := sorted(map(str, values.keys() - names)):
            raise ValueError(f"{name}.{odd[0]} is not a setting that is fitted")
        try:
            section.model_validate(values, strict=True)
        except ValidationError as exc:
            raise ValueError(f"{name}: {describe_first_refusal(exc)}") from exc
    return fitted


def _readable(
    exc: ValidationError, file: Path, overrides: Mapping[str, Mapping[str, Any]]
) -> ConfigError:
    # what an earlier version called otherwise first: it has the better hint
    refused = refusals(exc)
    first = min(refused, key=lambda one: one.place[:1] not in {(old,) for old in RENAMED})
    name = ".".join(first.place)
    more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
    where = _origin(first.place, file, overrides)
    message, hint = first.must_be, "docs/reference/settings.md lists every setting"
    if first.unknown:
        message = "no such setting"
        if name.partition(".")[0] in RENAMED:
            hint = f"it is called {RENAMED[name.partition('.')[0]]} since version 0.2"
        hint = REMOVED.get(name, hint)
    return ConfigError(f"{where}: {name}: {message}{more}", hint=hint, field=name)


def _origin(names: Sequence[str], file: Path, overrides: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what a person called the setting by: an option, a variable, or a file."""
    value: Any = overrides
    for name in names:
        if isinstance(value, Mapping) and name not in value:
            break
        # a list or a text goes no deeper: the whole of it was given
        value = value[name] if isinstance(value, Mapping) else value
    else:
        return "command line"
    for length in range(len(names), 0, -1):
        variable = f"SEEALSO_{'__'.join(names[:length])}".upper()
        if variable in os.environ:
            return f"environment ({variable})"
    return file.name if file.is_file() else "settings"
