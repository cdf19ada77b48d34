"""What a bundle is worth: protocols over an index, and the gate that a new one has to pass."""
