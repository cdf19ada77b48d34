"""The playground: a page for people who would rather look than read JSON, and what it asks for.

The service answers it as it answers everybody, from recommenders that log no list.
"""
