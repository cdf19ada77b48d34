"""Fits into a search stack that is there: preference in any search body, lists written to UBI."""
