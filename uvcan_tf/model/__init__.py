"""What is trained: tables, batches, losses and the model."""
