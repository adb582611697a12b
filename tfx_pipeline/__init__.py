"""From three raw tables to a trained, evaluated, blessed and pushed SavedModel."""

import uvcan_tf as _keras_switch  # noqa: F401  (sets TF_USE_LEGACY_KERAS first)
