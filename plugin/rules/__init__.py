"""What a business wants of a list: rules, shares, caps, diversity, freshness, safety.

Pure functions over lists and query clauses; `plans` and `policy` bring them into a list.
"""
