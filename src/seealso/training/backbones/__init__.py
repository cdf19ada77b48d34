"""Pre-trained models: where they come from, which parts learn, how they are read."""
