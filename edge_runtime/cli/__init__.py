"""The command line: one file per verb, each with `add(verbs)` for its arguments and `main(arguments)` for its work."""
