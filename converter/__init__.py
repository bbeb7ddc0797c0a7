"""Train, quantise, judge and export the nets that edge_runtime runs; the only package that needs TensorFlow."""
