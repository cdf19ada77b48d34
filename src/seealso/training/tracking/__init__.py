"""Where the losses and metrics of a run are written."""
