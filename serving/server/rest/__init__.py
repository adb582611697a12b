"""TF Serving's REST API over the same calls."""
