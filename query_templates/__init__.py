"""The queries of seealso as files: mustache templates, and painless scripts that they include.

The package renders them itself, the cluster renders the stored copies; both give the same body.
"""

from seealso.query_templates.files import names, script_id, source
from seealso.query_templates.rendering import msearch, parameters, render

__all__ = ["msearch", "names", "parameters", "render", "script_id", "source"]
