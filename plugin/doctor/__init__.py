"""Checks everything that a recommendation needs, and says what to do about what is wrong."""

from seealso.plugin.doctor.checks import examine
from seealso.plugin.doctor.finding import Finding

__all__ = ["Finding", "examine"]
