"""Where frames come from: one file per back-end, none knows another; edge_runtime.wiring chooses."""
