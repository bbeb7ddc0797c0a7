"""Where events and observations go: one back-end each, none knows another."""
