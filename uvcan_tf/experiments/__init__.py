"""The paper's experiments: every method tuned alike and measured by one evaluator."""
