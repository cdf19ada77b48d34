"""Live events: read one by one, from files that grow and are rotated, and from streams."""
