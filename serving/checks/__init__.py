"""Checks of a running server: conformance, malformed requests, load and swaps."""
