"""Clients of a model server, and what they hand out."""
