"""What this machine does, measured: each file writes one JSON to benchmarks/results."""
