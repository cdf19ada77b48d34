"""Fitting: what behaviour knows joins what the texts say, with weights that dev chose."""
