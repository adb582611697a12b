"""What is saved for a model server, signature by signature."""
