"""An evaluation as one page to read, with plots, and as JSON: both hold the same figures."""

from seealso.evaluation.report.writing import (
    FIGURES,
    REPORT,
    as_page,
    require_plots,
    write_report,
)

__all__ = ["FIGURES", "REPORT", "as_page", "require_plots", "write_report"]
