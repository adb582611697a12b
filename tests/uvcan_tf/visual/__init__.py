"""The shelf of visual features."""
