"""The network of the paper, as Keras layers."""
