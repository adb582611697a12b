"""How fast, beside what: every timing is a ratio to something of the same run."""

import uvcan_tf  # noqa: F401  (chooses Keras 2 before anything imports TensorFlow)
