"""The version of the distribution, its only home: setup.py and the command line read it here."""

from typing import Final

__version__: Final = "0.1.0"
