"""Settings: one frozen object for everything, and where it is read from."""

from seealso.config.asking import ProfileSettings, RecommendSettings
from seealso.config.cluster import ClusterSettings
from seealso.config.fitting import FitSettings
from seealso.config.groups import GroupSettings, SeenRule, StrategyName
from seealso.config.images import ImagesSettings
from seealso.config.indexing import EncoderSettings, ImportanceSettings, IndexSettings
from seealso.config.inputs import (
    DEFAULT_ITEM_TEMPLATE,
    DEFAULT_USER_TEMPLATE,
    CatalogueSettings,
    EventSettings,
    FormatSettings,
    TextSettings,
)
from seealso.config.live import LiveSettings, UbiSettings
from seealso.config.loading import Settings, check_fitted, load_settings, with_fitted
from seealso.config.personalise import PersonaliseSettings
from seealso.config.rules import (
    CapSettings,
    Choice,
    ExposureSettings,
    Rule,
    ShareSettings,
    TaxonomySettings,
)
from seealso.config.safety import AgeSettings, RegionSettings, SafetySettings
from seealso.config.section import Section, describe_refusal
from seealso.config.training import TRAINING_PRESETS, TrainingSettings
from seealso.config.users import NeighbourSettings, UsersSettings

__all__ = [
    "DEFAULT_ITEM_TEMPLATE",
    "DEFAULT_USER_TEMPLATE",
    "TRAINING_PRESETS",
    "AgeSettings",
    "CapSettings",
    "CatalogueSettings",
    "Choice",
    "ClusterSettings",
    "EncoderSettings",
    "EventSettings",
    "ExposureSettings",
    "FitSettings",
    "FormatSettings",
    "GroupSettings",
    "ImagesSettings",
    "ImportanceSettings",
    "IndexSettings",
    "LiveSettings",
    "NeighbourSettings",
    "PersonaliseSettings",
    "ProfileSettings",
    "RecommendSettings",
    "RegionSettings",
    "Rule",
    "SafetySettings",
    "Section",
    "SeenRule",
    "Settings",
    "ShareSettings",
    "StrategyName",
    "TaxonomySettings",
    "TextSettings",
    "TrainingSettings",
    "UbiSettings",
    "UsersSettings",
    "check_fitted",
    "describe_refusal",
    "load_settings",
    "with_fitted",
]
