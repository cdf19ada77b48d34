"""What a training learns from: pairs of texts, and hard negatives beside them."""
