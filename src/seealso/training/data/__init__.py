"""What is learnt from, and what is asked: catalogue, pairs, negatives, questions and ranks."""
