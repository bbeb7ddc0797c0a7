"""Ways in which a model bundle may arrive damaged or tampered with: each writes one bundle to a path.

What is written may, by chance, still hold the same files (a flipped bit in a zip's time stamp): `same_contents` tells.
"""

from __future__ import annotations

import os
import random
import stat
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from edge_runtime.bundle import LABELS_FILE, MANIFEST_FILE, MODEL_FILE, SUMS_FILE
from tests.tiny_bundles import sums, write_zip

Files = dict[str, bytes]
HOLE_BYTES: Final = 64 * 1024 * 1024 + 1
_DATE: Final = (2026, 1, 1, 0, 0, 0)
_PATHS: Final = ("../{}", "../../../../etc/{}", "/etc/{}", "sub/{}", "..\\{}", "C:\\{}", "./{}", "{}\x00.txt")


def same_contents(found: Mapping[str, bytes], whole: Files) -> bool:
    """Whether nothing was damaged after all: every file is whole, and the digests read the same.

    A line's end that is missing at the end of SHA256SUMS, or became another kind of line's end, changes no digest.
    """
    lines = [files.get(SUMS_FILE, b"").decode("ascii", "replace").splitlines() for files in (found, whole)]
    others = [{name: data for name, data in files.items() if name != SUMS_FILE} for files in (found, whole)]
    return lines[0] == lines[1] and others[0] == others[1]


def _folder(path: Path, files: Mapping[str, bytes]) -> None:
    path.mkdir()
    for name, content in files.items():
        (path / name).write_bytes(content)


def _one_of(files: Files, rng: random.Random) -> str:
    return rng.choice(sorted(files))


def _flip(content: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(content)
    damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def bit_flip(path: Path, files: Files, rng: random.Random) -> None:
    """Change one bit of one file."""
    name = _one_of(files, rng)
    _folder(path, files | {name: _flip(files[name], rng)})


def overwritten(path: Path, files: Files, rng: random.Random) -> None:
    """Put noise, or the zeros of an unclean shutdown, over a part of one file."""
    name = _one_of(files, rng)
    content = files[name]
    start = rng.randrange(len(content))
    length = rng.randint(1, min(4096, len(content) - start))
    noise = bytes(length) if rng.random() < 0.5 else rng.randbytes(length)
    _folder(path, files | {name: content[:start] + noise + content[start + length :]})


def truncation(path: Path, files: Files, rng: random.Random) -> None:
    """Cut one file short."""
    name = _one_of(files, rng)
    _folder(path, files | {name: files[name][: rng.randrange(len(files[name]))]})


def growth(path: Path, files: Files, rng: random.Random) -> None:
    """Append to one file."""
    name = _one_of(files, rng)
    _folder(path, files | {name: files[name] + rng.randbytes(rng.randint(1, 64))})


def missing_file(path: Path, files: Files, rng: random.Random) -> None:
    """Leave one file out."""
    left_out = _one_of(files, rng)
    _folder(path, {name: content for name, content in files.items() if name != left_out})


def extra_file(path: Path, files: Files, rng: random.Random) -> None:
    """Add a file that nobody listed."""
    _folder(path, files | {f"extra-{rng.randrange(10**6)}.bin": rng.randbytes(16)})


def swapped_files(path: Path, files: Files, rng: random.Random) -> None:
    """Exchange the contents of two files."""
    one, other = rng.sample(sorted(files), 2)
    _folder(path, files | {one: files[other], other: files[one]})


def changed_manifest(path: Path, files: Files, rng: random.Random) -> None:
    """Change a value of the manifest and leave the digests as they were."""
    manifest: dict[str, Any] = msgspec.json.decode(files[MANIFEST_FILE])
    manifest["policy"] = {"enter": rng.random(), "exit": 0.0, "temperature": 1.0 + rng.random()}
    _folder(path, files | {MANIFEST_FILE: msgspec.json.encode(manifest)})


def wrong_contract(path: Path, files: Files, rng: random.Random) -> None:
    """Make another promise in the manifest, with digests that fit."""
    manifest: dict[str, Any] = msgspec.json.decode(files[MANIFEST_FILE])
    labels = manifest["labels"]
    number = rng.randrange(10**6)
    key, value = rng.choice(
        [
            ("labels", [*labels[1:], labels[0]]),
            ("schema", f"emotion-edge.model/{number + 2}"),
            ("kind", rng.choice(("keypoints", "faces", "gender", number))),
            ("min_runtime_version", f"{number + 1}.0.0"),
            ("input", {"shape": [1, 48 + number, 48, 1]}),
            ("output", {"shape": [1, 100 + number], "names": labels}),
            ("name", f"../{number}"),
            ("quantization", number),
        ]
    )
    _listed(path, files | {MANIFEST_FILE: msgspec.json.encode(manifest | {key: value})})


def wrong_labels(path: Path, files: Files, rng: random.Random) -> None:
    """List other labels, with digests that fit."""
    _listed(path, files | {LABELS_FILE: f"happy\nsad\n{rng.randrange(10**6)}\n".encode()})


def link(path: Path, files: Files, rng: random.Random) -> None:
    """Put a link in the place of a file: to nothing, to itself, a folder, a device, a pipe, or another file."""
    name = _one_of(files, rng)
    _folder(path, {key: content for key, content in files.items() if key != name})
    target = rng.choice(
        ("nowhere", name, "..", "/dev/zero", "/dev/tty", "/proc/kmsg", "/etc/hostname", "/proc/self/mem")
    )
    if rng.random() < 0.1:
        os.mkfifo(path / name)
    else:
        (path / name).symlink_to(target)


def huge_file(path: Path, files: Files, rng: random.Random) -> None:
    """Make one file a hole of 64 MB to 1 TB, which takes no room."""
    name = _one_of(files, rng)
    _folder(path, files)
    os.truncate(path / name, HOLE_BYTES + rng.randrange(2**40))


def zip_bit_flip(path: Path, files: Files, rng: random.Random) -> None:
    """Change one bit of the zip."""
    write_zip(path, files)
    path.write_bytes(_flip(path.read_bytes(), rng))


def zip_truncation(path: Path, files: Files, rng: random.Random) -> None:
    """Cut the zip short."""
    write_zip(path, files)
    os.truncate(path, rng.randrange(path.stat().st_size))


def zip_path(path: Path, files: Files, rng: random.Random) -> None:
    """Add an entry whose name leads elsewhere, listed with its digest."""
    name = rng.choice(_PATHS).format(f"cron-{rng.randrange(10**6)}")
    listed = {key: content for key, content in files.items() if key != SUMS_FILE} | {name: b"* * * * * root id\n"}
    write_zip(path, listed | {SUMS_FILE: sums(listed)})


def zip_link(path: Path, files: Files, rng: random.Random) -> None:
    """Make an entry a symbolic link, as unzip(1) would create one."""
    name = _one_of(files, rng)
    with zipfile.ZipFile(path, "w") as archive:
        for key, content in files.items():
            entry = zipfile.ZipInfo(key, _DATE)
            if key == name:
                entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(entry, b"/etc/passwd" if key == name else content)


def zip_claim(path: Path, files: Files, rng: random.Random) -> None:
    """Let an entry claim another size, method or encryption than it has."""
    write_zip(path, files)
    data = bytearray(path.read_bytes())
    directory = data.index(b"PK\x01\x02")
    field, value = rng.choice(
        ((24, rng.randrange(2**27, 2**32 - 1)), (20, rng.randrange(2**20, 2**32 - 1)), (8, 1), (10, 0))
    )
    if field in {20, 24}:
        struct.pack_into("<I", data, directory + field, value)
    else:
        struct.pack_into("<H", data, directory + field, value or rng.randrange(1, 2**16))
    path.write_bytes(data)


def zip_many(path: Path, files: Files, rng: random.Random) -> None:
    """Add more entries than any bundle has."""
    write_zip(path, files | {f"{number}.txt": b"" for number in range(rng.randint(65, 300))})


def zip_twice(path: Path, files: Files, rng: random.Random) -> None:
    """Hold the model twice, the second one damaged."""
    second = "x" + MODEL_FILE[1:]  # renamed below: zipfile warns about a name that is there already
    write_zip(path, files | {second: _flip(files[MODEL_FILE], rng)})
    path.write_bytes(path.read_bytes().replace(second.encode(), MODEL_FILE.encode()))


def zip_bomb(path: Path, files: Files, rng: random.Random) -> None:
    """Add packed zeros that unpack to more than any bundle holds."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for key, content in files.items():
            archive.writestr(zipfile.ZipInfo(key, _DATE), content)
        for number in range(3):
            with archive.open(f"zeros-{number}.bin", "w") as entry:
                for _ in range(rng.randint(44, 48)):
                    entry.write(bytes(1024 * 1024))


def _listed(path: Path, files: Files) -> None:
    without = {name: content for name, content in files.items() if name != SUMS_FILE}
    _folder(path, without | {SUMS_FILE: sums(without)})


Damage = Callable[[Path, Files, random.Random], None]
DAMAGES: Final[Mapping[str, Damage]] = {
    damage.__name__: damage
    for damage in (
        bit_flip,
        overwritten,
        truncation,
        growth,
        missing_file,
        extra_file,
        swapped_files,
        changed_manifest,
        wrong_contract,
        wrong_labels,
        link,
        huge_file,
        zip_bit_flip,
        zip_truncation,
        zip_path,
        zip_link,
        zip_claim,
        zip_many,
        zip_twice,
    )
}
"""Those of which many are made; `zip_bomb` takes half a second and is made some times only."""
