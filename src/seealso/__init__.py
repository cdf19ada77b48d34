"""seealso: recommendations inside the OpenSearch you already run."""
