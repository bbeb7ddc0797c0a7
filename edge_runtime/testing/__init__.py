"""Fakes that are shipped, so that users test their own code as we test ours."""

from __future__ import annotations

from edge_runtime.testing.fakes import FakeDetector, FakeInterpreter, FakeSource, ManualClock, MemorySink

__all__ = ["FakeDetector", "FakeInterpreter", "FakeSource", "ManualClock", "MemorySink"]
