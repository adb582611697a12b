"""Exact scores over every video."""
