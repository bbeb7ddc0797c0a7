"""The verbs of `emotion-convert`, one module each; heavy imports wait until a verb runs."""
