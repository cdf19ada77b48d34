"""How good are recommendations: fine-tuning measured by full ranking on real data.

Unlike the benchmarks of speed this needs data that seealso may not ship; where it comes from
stands in docs/explanation/quality.md.
"""
