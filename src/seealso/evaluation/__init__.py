"""Evaluation: how good the recommendations are, for whom, and whether a difference is chance."""
