"""Fixtures of the conformance suites."""

from tests.broker import broker

__all__ = ["broker"]
