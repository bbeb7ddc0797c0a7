"""Readers of training data, and what keeps copies on one side of a split."""
