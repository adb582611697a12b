"""How good a ranking is: candidates, ranks, metrics, and what can be ranked."""
