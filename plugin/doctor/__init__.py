"""Checks everything that a recommendation needs, and says what to do about what is wrong."""

from seealso.plugin.doctor.checks import examine, reach
from seealso.plugin.doctor.finding import Finding, attempt

__all__ = ["Finding", "attempt", "examine", "reach"]
