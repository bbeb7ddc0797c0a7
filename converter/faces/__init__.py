"""The faces net: a single-shot detector of grey pictures, one idea a file."""
