"""The Edge TPU beside the processor: its library runs in a child process, because it aborts the one that loads it."""
