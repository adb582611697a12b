"""What TensorBoard shows of every training run."""
