import serving  # noqa: F401  (sets the Keras switch before TensorFlow is imported)
