"""seealso as a part of other frameworks: each module needs the extra of its own name.

Nothing here is imported by the rest of seealso.
"""
