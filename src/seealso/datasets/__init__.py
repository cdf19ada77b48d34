"""What training, models, fitting and evaluation share: catalogue, user sequences, questions."""
