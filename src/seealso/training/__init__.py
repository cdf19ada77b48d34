"""The only room that knows torch and transformers: it makes bundles (extra ``train``).

torch itself is imported where it is used, so that the command line starts without it.
"""

from seealso.training.backbones.bert import StoredBert, find_bert
from seealso.training.backbones.sources import (
    TRAINING,
    Backbone,
    load_backbone,
    require,
)
from seealso.training.exporting.export import export, refuse_existing

__all__ = [
    "TRAINING",
    "Backbone",
    "StoredBert",
    "export",
    "find_bert",
    "load_backbone",
    "refuse_existing",
    "require",
]
