"""Fakes that are shipped, so that users test their own code as we test ours."""

from __future__ import annotations

from edge_runtime.testing.camera import CameraFault, FaultyCamera
from edge_runtime.testing.fakes import FakeDetector, FakeInterpreter, FakeSource, ManualClock, MemorySink
from edge_runtime.testing.picamera import FakeSensor, fake_picamera2
from edge_runtime.testing.video_capture import FakeV4l2Capture

__all__ = [
    "CameraFault",
    "FakeDetector",
    "FakeInterpreter",
    "FakeSensor",
    "FakeSource",
    "FakeV4l2Capture",
    "FaultyCamera",
    "ManualClock",
    "MemorySink",
    "fake_picamera2",
]
