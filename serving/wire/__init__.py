"""What goes over the wire: messages, services and tensors, without TensorFlow."""
