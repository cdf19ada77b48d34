"""Adds what seealso needs to an index that serves its owner's search already."""
