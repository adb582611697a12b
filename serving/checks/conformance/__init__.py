"""Wire cases that TF Serving and the embedded server answer alike."""
