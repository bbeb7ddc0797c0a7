"""What may depend on what, how large things may be, and which facts have one home only."""

from __future__ import annotations

import ast
import json
import subprocess
import sys

import pytest

from edge_runtime.contract import INPUT_SIZE_PX, KEYPOINT_NAMES
from tests.source_tree import FOLDERS, PACKAGES, ROOT, sources

# edge_runtime from the ground up. A file imports only from earlier rows. A new file needs a place here: put its name in
# the row after the last thing it imports.
ROWS = (
    ("_version", "errors"),
    ("contract", "clock", "histogram", "schemas", "setting_types", "board", "log_limit", "speed_limits"),
    ("geometry", "preprocess", "quantization", "output_settings"),
    ("datatypes", "stages", "setting_words"),
    ("interfaces",),
    ("manifest", "settings", "payloads", "signature"),
    ("decode", "least_scores", "framing", "setting_rules", "bundle", "governor", "camera_retry"),
    ("config", "interpreter", "close_ups", "commands", "credentials", "signals"),
    ("accelerator", "models", "tracker", "smoothing", "quality", "policy", "overlay", "golden", "net_cost"),
    ("events", "heartbeat", "audience", "systemd_notify", "picture_watch", "sink_watch", "mailbox"),
    ("sources", "detectors", "sinks", "outbox", "recording", "clip_writer", "telemetry"),
    ("claims", "session", "pipeline", "capture", "outlet", "testing", "replay", "vitals", "model_store"),
    ("web", "tuning", "condition", "surroundings"),
    ("wiring", "control", "speaker"),
    ("doctor", "selftest", "proofs", "benchmark"),
    ("service",),
    ("program",),
    ("cli",),
    ("__main__", "__init__"),
)
RANKS = {name: rank for rank, row in enumerate(ROWS) for name in row}

# Folders whose files know nothing of each other: any one can be deleted with its line in wiring.py.
LEAF_FOLDERS = {"sources", "detectors", "sinks"}

CONVERTER_MAY_USE = {
    "bundle",
    "close_ups",
    "contract",
    "datatypes",
    "decode",
    "detectors",
    "errors",
    "framing",
    "geometry",
    "interfaces",
    "interpreter",
    "least_scores",
    "manifest",
    "models",
    "preprocess",
    "quantization",
}
NEVER_LOADED_EARLY = ("ai_edge_litert", "paho", "picamera2", "tensorflow", "tflite_runtime")
NEVER_LOADED_EARLY_BELOW = ("edge_runtime.detectors.", "edge_runtime.sinks.mqtt")
MAY_START_THREADS = {"capture", "outbox", "sinks", "web"}
THREAD_MAKERS = {"Thread", "ThreadPoolExecutor", "ThreadingHTTPServer", "ThreadingMixIn", "Timer"}
NAMES_THAT_SAY_NOTHING = {"common", "helpers", "misc", "util", "utils"}
WALL_CLOCK = {
    ("time", "time"),
    ("time", "time_ns"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
}
# firmware_config has no Clock: its command line takes the time and hands it to the pure rest.
READS_WALL_CLOCK = {"edge_runtime.clock", "firmware_config.__main__"}
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40


def unit(module: str) -> str:
    """Return the second part of a dotted name: edge_runtime.sources.video -> sources."""
    return module.split(".")[1] if "." in module else "__init__"


def report(found: list[str]) -> str:
    """One finding a line, below pytest's own line."""
    return "\n" + "\n".join(found)


def test_every_file_of_the_runtime_has_a_rank() -> None:
    found = [
        f"{source.where}: add {unit(source.module)!r} to ROWS in tests/test_architecture.py, after what it imports"
        for source in sources("edge_runtime")
        if unit(source.module) not in RANKS
    ]

    assert not found, report(found)


def test_runtime_files_import_from_earlier_rows_only() -> None:
    found = []
    for source in sources("edge_runtime"):
        own = unit(source.module)
        for used in source.imports():
            target = unit(used.module)
            if used.module.partition(".")[0] != "edge_runtime" or target == own:
                continue
            if RANKS.get(target, 0) >= RANKS.get(own, len(ROWS)):
                found.append(f"{source.where}:{used.line}: {own} must not import {target}: not in an earlier row")

    assert not found, report(found)


def test_back_ends_are_leaves() -> None:
    found = []
    for source in sources(*(f"edge_runtime/{folder}" for folder in sorted(LEAF_FOLDERS))):
        own = source.module.split(".")
        for used in source.imports():
            target = used.module.split(".")
            if target[:2] == own[:2] and len(target) > 2 and target[2] != own[2]:
                found.append(f"{source.where}:{used.line}: imports its neighbour {used.module}")

    assert not found, report(found)


def test_runtime_knows_neither_the_converter_nor_the_firmware_files() -> None:
    found = [
        f"{source.where}:{used.line}: imports {used.module}"
        for source in sources("edge_runtime")
        for used in source.imports()
        if used.module.partition(".")[0] in {"converter", "firmware_config"}
    ]

    assert not found, report(found)


def test_converter_uses_only_the_shared_part_of_the_runtime() -> None:
    found = [
        f"{source.where}:{used.line}: imports {used.module}; allowed: {', '.join(sorted(CONVERTER_MAY_USE))}"
        for source in sources("converter")
        for used in source.imports()
        if used.module.partition(".")[0] == "edge_runtime" and unit(used.module) not in CONVERTER_MAY_USE | {"_version"}
    ]

    assert not found, report(found)


def test_firmware_config_needs_the_standard_library_only() -> None:
    # tomli is tomllib before Python 3.11, and the distribution asks for it there.
    allowed = sys.stdlib_module_names | {"firmware_config", "tomli"}

    found = [
        f"{source.where}:{used.line}: imports {used.module}"
        for source in sources("firmware_config")
        for used in source.imports()
        if used.module.partition(".")[0] not in allowed
    ]

    assert not found, report(found)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("import edge_runtime", id="import"),
        pytest.param("runpy.run_module('edge_runtime', run_name='__main__', alter_sys=True)", id="help"),
    ],
)
def test_a_fresh_process_loads_nothing_heavy(statement: str) -> None:
    program = (
        "import atexit, json, runpy, sys\n"
        "atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))\n"
        "sys.argv = ['emotion-edge', '--help']\n" + statement
    )
    command = [sys.executable, "-c", program]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr[-2000:]
    loaded: list[str] = json.loads(done.stderr.splitlines()[-1])
    assert "edge_runtime" in loaded
    assert not [name for name in loaded if name in NEVER_LOADED_EARLY or name.startswith(NEVER_LOADED_EARLY_BELOW)]


def test_files_are_short() -> None:
    found = [
        f"{source.where}: {lines} lines, at most {MAX_FILE_LINES}"
        for source in sources(*FOLDERS)
        if (lines := source.text.count("\n")) > MAX_FILE_LINES
    ]

    assert not found, report(found)


def test_functions_are_short() -> None:
    found = [
        f"{source.where}:{function.lineno}: {function.name} has {lines} lines, at most {MAX_FUNCTION_LINES}"
        for source in sources(*FOLDERS)
        for function in source.functions()
        if (lines := (function.end_lineno or function.lineno) - function.lineno + 1) > MAX_FUNCTION_LINES
    ]

    assert not found, report(found)


def test_modules_are_named_for_what_they_hold() -> None:
    found = [
        f"{source.where}: a name that says nothing"
        for source in sources(*FOLDERS)
        if NAMES_THAT_SAY_NOTHING & set(source.path.relative_to(ROOT).with_suffix("").parts)
    ]

    assert not found, report(found)


def test_zero_point_arithmetic_has_one_home() -> None:
    found = [
        f"{source.where}:{node.lineno}: arithmetic with a zero point belongs in edge_runtime/quantization.py"
        for source in sources(*PACKAGES)
        if source.module != "edge_runtime.quantization"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.BinOp | ast.AugAssign) and _mentions_zero_point(node)
    ]

    assert not found, report(found)


def test_keypoint_names_have_one_home() -> None:
    found = [
        f"{source.where}:{node.lineno}: {node.value!r} belongs in edge_runtime/contract.py"
        for source in sources(*PACKAGES)
        if source.module != "edge_runtime.contract"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and node.value in KEYPOINT_NAMES
    ]

    assert not found, report(found)


def test_the_input_size_has_one_home() -> None:
    found = [
        f"{source.where}:{node.lineno}: the input size is INPUT_SIZE_PX in edge_runtime/contract.py"
        for source in sources(*PACKAGES)
        if source.module != "edge_runtime.contract"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value == INPUT_SIZE_PX
    ]

    assert not found, report(found)


def test_threads_start_in_capture_publisher_and_web_server_only() -> None:
    found = [
        f"{source.where}:{node.lineno}: a thread may start in {', '.join(sorted(MAY_START_THREADS))} only"
        for source in sources("edge_runtime", "firmware_config")
        if unit(source.module) not in MAY_START_THREADS
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call | ast.ClassDef) and _makes_a_thread(node)
    ]

    assert not found, report(found)


def test_the_wall_clock_is_read_in_the_clock_module_only() -> None:
    found = [
        f"{source.where}:{node.lineno}: {ast.unparse(node.func)} belongs in edge_runtime/clock.py; take a Clock"
        for source in sources("edge_runtime", "firmware_config")
        if source.module not in READS_WALL_CLOCK
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and _reads_wall_clock(node.func)
    ]

    assert not found, report(found)


def _mentions_zero_point(node: ast.BinOp | ast.AugAssign) -> bool:
    sides = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.target, node.value)
    return any("zero_point" in (_last_name(side) or "").lower() for side in sides)


def _makes_a_thread(node: ast.Call | ast.ClassDef) -> bool:
    names = [node.func] if isinstance(node, ast.Call) else node.bases
    return any(_last_name(name) in THREAD_MAKERS for name in names)


def _last_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _reads_wall_clock(function: ast.expr) -> bool:
    if not isinstance(function, ast.Attribute):
        return False
    return (_last_name(function.value) or "", function.attr) in WALL_CLOCK
