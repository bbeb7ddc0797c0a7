"""Fixtures of the sinks' tests."""

from tests.broker import broker

__all__ = ["broker"]
