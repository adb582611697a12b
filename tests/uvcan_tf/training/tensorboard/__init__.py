"""Tests of what TensorBoard shows."""
