"""How a backbone learns: losses, the trainer, and each way of learning."""
