"""Users in an index of their own: pseudonyms with history, attributes and vector."""
