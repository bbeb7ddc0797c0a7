"""What finds faces in a whole frame: one file per back-end, none knows another; edge_runtime.wiring chooses."""
