"""Clients and an embedded server for the exported SavedModel."""

import uvcan_tf as _keras_switch  # noqa: F401  (sets TF_USE_LEGACY_KERAS first)
