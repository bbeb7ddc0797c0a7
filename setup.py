"""Metadata of the distribution: name, dependencies, extras, commands and package data.

Tool configuration is in pyproject.toml. The version lives in edge_runtime/_version.py and is read there as text,
because importing the package would need its dependencies.
"""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent

# LiteRT has wheels for these machines only. Elsewhere (32-bit Pi OS) `pip install` must still work, and the
# extra `tflite-runtime` supplies the interpreter.
LITERT_MACHINES = (
    "platform_python_implementation == 'CPython' and ("
    "(sys_platform == 'linux' and (platform_machine == 'x86_64' or platform_machine == 'aarch64')) or "
    "(sys_platform == 'darwin' and platform_machine == 'arm64'))"
)

RUNTIME = [
    "numpy>=1.24",
    # The same OpenCV as opencv-python, without a GUI's libraries. Where opencv-python or Debian's python3-opencv is
    # wanted instead: `pip install --no-deps emotion-edge` and the other lines of this list by hand; both import as cv2.
    # OpenCV 5 has no Haar cascades: `--detector haar` alone needs 4.
    "opencv-python-headless>=4.8,<6",
    "msgspec>=0.18",
    "paho-mqtt>=2.1,<3",
    f"ai-edge-litert>=2.0,<3; {LITERT_MACHINES}",
    "tomli>=2.0; python_version < '3.11'",
]

EXTRAS = {
    # The converter. TensorFlow decides which int8 net comes out, so its minor version is fixed.
    "convert": ["tensorflow>=2.21,<2.22", "matplotlib>=3.8", "rich>=13.7", "scikit-learn>=1.4"],
    # The interpreter for machines without LiteRT: the last release, Python <= 3.11. It imports with numpy 2 and then
    # fails at the first model, hence the pin.
    "tflite-runtime": ["tflite-runtime==2.14.0", "numpy<2"],
    "picamera": ["picamera2>=0.3.12"],
    "metrics": ["prometheus-client>=0.20"],
    # Checks signatures of model bundles where models.public_key_file is set. 38 is what Debian 12 has.
    "signing": ["cryptography>=38"],
    # `--source demo` shows a face that moves over scikit-image's photograph of an astronaut (public domain, NASA).
    "demo": ["scikit-image>=0.22"],
    # The pages as a site: `make docs`.
    "docs": ["mkdocs-material>=9.6,<10"],
    "test": [
        "hypothesis>=6.100",
        "jsonschema>=4.21",
        "mypy>=1.13",
        # With OpenCV 4 all detectors are tested; `make test-opencv5` tests the rest with 5.
        "opencv-python-headless<5",
        "pytest>=8.3",
        "ruff>=0.14",
        "selenium>=4.20",
        "setuptools>=77",
        "trustme>=1.1",
        "types-jsonschema",
    ],
}


def version() -> str:
    """Read the version without importing the package.

    Returns:
        The text between the quotes of `__version__` in edge_runtime/_version.py.

    Raises:
        RuntimeError: the file holds no version.
    """
    path = ROOT / "edge_runtime" / "_version.py"
    match = re.search(r'^__version__[^=]*= "([^"]+)"$', path.read_text(encoding="utf-8"), re.MULTILINE)
    if match is None:
        message = f'{path}: no line of the form __version__ = "X.Y.Z"'
        raise RuntimeError(message)
    return match[1]


def long_description() -> str:
    """Return the README, or nothing where it is absent."""
    readme = ROOT / "README.md"
    return readme.read_text(encoding="utf-8") if readme.is_file() else ""


setup(
    name="emotion-edge",
    version=version(),
    description="Facial keypoints and emotions on a small computer beside the camera; only numbers leave it.",
    long_description=long_description(),
    long_description_content_type="text/markdown",
    author="The Emotion Edge authors",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=["edge_runtime*", "converter*", "firmware_config*"]),
    package_data={
        "edge_runtime": ["py.typed", "assets/**", "schemas/*.json", "web/static/*", "web/notices/*.toml"],
        "converter": ["py.typed", "recipes/*.toml", "**/*.json", "**/*.txt"],
        "firmware_config": ["py.typed", "profiles/*.toml", "boot/**", "udev/**"],
    },
    zip_safe=False,
    install_requires=RUNTIME,
    extras_require=EXTRAS,
    entry_points={
        "console_scripts": [
            "emotion-edge=edge_runtime.__main__:main",
            "emotion-convert=converter.__main__:main",
            "emotion-firmware=firmware_config.__main__:main",
        ],
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Image Recognition",
        "Typing :: Typed",
    ],
)
