"""seealso: recommendations inside the OpenSearch you already run."""

__version__ = "0.1.0"
