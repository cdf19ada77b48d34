"""Speed, measured side by side: what is compared takes turns in one run, ratios are reported.

``python -m benchmarks`` writes benchmarks/results and the tables of docs/explanation/benchmarks.md.
"""
