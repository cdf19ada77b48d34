"""Settings: one frozen object for everything, and where it is read from."""

from seealso.config.asking import ProfileSettings, RecommendSettings
from seealso.config.fitting import FitSettings
from seealso.config.groups import GroupSettings, StrategyName
from seealso.config.images import ImagesSettings
from seealso.config.indexing import (
    ClusterSettings,
    EncoderSettings,
    ImportanceSettings,
    IndexSettings,
)
from seealso.config.inputs import (
    DEFAULT_ITEM_TEMPLATE,
    DEFAULT_USER_TEMPLATE,
    CatalogueSettings,
    EventSettings,
    TextSettings,
)
from seealso.config.loading import Settings, load_settings, with_fitted
from seealso.config.personalise import PersonaliseSettings
from seealso.config.section import Section
from seealso.config.training import TRAINING_PRESETS, TrainingSettings
from seealso.config.users import CrowdSettings, UsersSettings

__all__ = [
    "DEFAULT_ITEM_TEMPLATE",
    "DEFAULT_USER_TEMPLATE",
    "TRAINING_PRESETS",
    "CatalogueSettings",
    "ClusterSettings",
    "CrowdSettings",
    "EncoderSettings",
    "EventSettings",
    "FitSettings",
    "GroupSettings",
    "ImagesSettings",
    "ImportanceSettings",
    "IndexSettings",
    "PersonaliseSettings",
    "ProfileSettings",
    "RecommendSettings",
    "Section",
    "Settings",
    "StrategyName",
    "TextSettings",
    "TrainingSettings",
    "UsersSettings",
    "load_settings",
    "with_fitted",
]
