"""What a bundle is worth: exams over an index, and the gate that a new one has to pass."""
