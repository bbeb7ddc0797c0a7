"""The command `emotion-firmware`: data on standard output, everything else on standard error."""

from __future__ import annotations

import argparse
import dataclasses
import enum
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from firmware_config.apply import apply, write_text
from firmware_config.check import Finding, check_device, check_profiles, fitting_profiles
from firmware_config.errors import FirmwareError, ProfileError, SecretError
from firmware_config.model import Device
from firmware_config.plan import Placement, Plan, plan, plan_removal
from firmware_config.profiles import CAMERAS, choose, load_profile, profile_names
from firmware_config.render import FIRST_BOOT, render
from firmware_config.render.firstboot import fill
from firmware_config.render.paths import SYSUSERS

if TYPE_CHECKING:
    # argparse has no public name for it, and it takes no parameters while the program runs.
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001


class Exit(enum.IntEnum):
    """Exit codes of the command."""

    OK = 0
    FAILED = 1
    """A check failed, a difference was found, or a file could not be written."""

    USAGE = 2
    CONFIGURATION = 3
    """A profile, a camera choice or a secret is not valid."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: the words after the command's name; those of the process when None.

    Returns:
        The exit code, see Exit.
    """
    options = _parser().parse_args(arguments)
    try:
        code: Exit = options.run(options)
    except (ProfileError, SecretError) as error:
        print(f"emotion-firmware: {error}", file=sys.stderr)
        return Exit.CONFIGURATION
    except (FirmwareError, OSError) as error:
        print(f"emotion-firmware: {error}", file=sys.stderr)
        return Exit.FAILED
    return code


def _run_list(options: argparse.Namespace) -> Exit:
    titles = {name: load_profile(name).title for name in profile_names()}
    if options.json:
        print(json.dumps({"profiles": titles, "cameras": CAMERAS}, indent=2))
    else:
        print("\n".join(f"{name:24} {title}" for name, title in titles.items()))
    return Exit.OK


def _run_show(options: argparse.Namespace) -> Exit:
    device = _device(options)
    if options.json:
        print(json.dumps(dataclasses.asdict(device), indent=2, default=lambda value: value.value))
        return Exit.OK
    profile = device.profile
    print(f"{profile.name}: {profile.title}\nproof: {profile.proof}\nboard: {profile.board.title}")
    print(f"accelerator: {profile.accelerator.title}\ncamera: {device.camera.title}")
    print("files:\n" + "\n".join(f"  {path}" for path in render(device)))
    return Exit.OK


def _run_render(options: argparse.Namespace) -> Exit:
    files = render(_device(options))
    secrets = _read_secrets(options.secrets) if options.secrets else None
    for name, text in files.items():
        first_boot = name.startswith(f"{FIRST_BOOT}/")
        filled = fill(name, text, secrets) if first_boot and secrets is not None else text
        write_text(options.out / name, filled, 0o600 if first_boot else 0o644)
        print(options.out / name)
    return Exit.OK


def _run_diff(options: argparse.Namespace) -> Exit:
    intended = plan(_device(options), options.root, options.boot)
    _print_plan(intended, as_json=options.json)
    return Exit.FAILED if intended.changes else Exit.OK


def _run_apply(options: argparse.Namespace) -> Exit:
    placement = Placement.INLINE if options.inline else Placement.INCLUDE
    return _carry_out(plan(_device(options), options.root, options.boot, placement), options)


def _run_remove(options: argparse.Namespace) -> Exit:
    return _carry_out(plan_removal(options.root, options.boot), options)


def _carry_out(intended: Plan, options: argparse.Namespace) -> Exit:
    _print_plan(intended, as_json=False)
    if not intended.changes:
        print("nothing to change", file=sys.stderr)
    elif options.dry_run:
        print(f"{len(intended.changes)} files would change; nothing was written", file=sys.stderr)
    else:
        backup = apply(intended, options.root)
        kept = f"; the files as they were are in {backup}" if backup else ""
        # A restart does not create them: systemd-sysusers.service runs after an upgrade of the system only.
        users = any(change.name == SYSUSERS and change.after for change in intended.changes)
        then = "run `systemd-sysusers` for the user's groups, and restart" if users else "restart"
        print(f"{len(intended.changes)} files changed{kept}; {then} for the boot settings", file=sys.stderr)
    return Exit.OK


def _run_check(options: argparse.Namespace) -> Exit:
    if options.profile is None:
        findings = check_profiles()
        fitting = fitting_profiles(options.root)
    else:
        findings = check_device(_device(options), options.root, options.boot, options.profile)
        fitting = ()
    if options.json:
        entries = [dataclasses.asdict(finding) for finding in findings]
        print(json.dumps({"findings": entries, "fitting_profiles": fitting}, indent=2))
    else:
        _print_findings(findings)
        if fitting:
            print(f"profiles that fit this board: {', '.join(fitting)}")
    return Exit.FAILED if any(finding.state == "failed" for finding in findings) else Exit.OK


def _print_plan(intended: Plan, *, as_json: bool) -> None:
    for warning in intended.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if as_json:
        entries = [{"name": item.name, "path": str(item.path), "diff": item.diff()} for item in intended.changes]
        print(json.dumps({"changes": entries, "warnings": intended.warnings}, indent=2))
    else:
        print(intended.diff(), end="")


def _print_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        print(f"{finding.state:8} {finding.subject:22} {finding.detail}")


def _read_secrets(folder: Path) -> dict[str, str]:
    try:
        return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.is_file()}
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"{folder}: cannot be read as a folder of text files: {error}; check --secrets") from error


def _device(options: argparse.Namespace) -> Device:
    return choose(load_profile(options.profile), options.camera)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emotion-firmware",
        description="Device profiles: what a board's boot files, device permissions and runtime settings are.",
        epilog="exit codes: 0 ok, 1 failed or different, 2 usage, 3 configuration",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_commands_for_profiles(commands)
    _add_commands_for_machines(commands)
    return parser


def _add_commands_for_profiles(commands: Commands) -> None:
    command = commands.add_parser("list", help="name the profiles")
    command.set_defaults(run=_run_list)
    _add_json(command)
    command = commands.add_parser("show", help="what a profile says")
    command.set_defaults(run=_run_show)
    _add_profile(command)
    _add_json(command)
    command = commands.add_parser("render", help="write a profile's files below a folder")
    command.set_defaults(run=_run_render)
    _add_profile(command)
    command.add_argument("out", type=Path, metavar="OUT", help="folder to write to")
    command.add_argument("--secrets", type=Path, metavar="DIR", help="fill the first-boot placeholders from its files")


def _add_commands_for_machines(commands: Commands) -> None:
    command = commands.add_parser("diff", help="what applying would change; exit code 1 when anything would")
    command.set_defaults(run=_run_diff)
    _add_profile(command)
    _add_root(command)
    _add_json(command)
    command = commands.add_parser("apply", help="show the difference, back up, write")
    command.set_defaults(run=_run_apply)
    _add_profile(command)
    _add_root(command)
    command.add_argument("--dry-run", action="store_true", help="show the difference only")
    command.add_argument(
        "--inline",
        action="store_true",
        help="boot settings into config.txt itself, where an include line is not followed",
    )
    command = commands.add_parser("remove", help="take back what any profile added, with backups")
    command.set_defaults(run=_run_remove)
    _add_root(command)
    command.add_argument("--dry-run", action="store_true", help="show the difference only")
    command = commands.add_parser("check", help="check the profiles, or this machine against one")
    command.set_defaults(run=_run_check)
    _add_profile(command, nargs="?")
    command.add_argument("--root", type=_folder, default=Path("/"), help="root of the system (default /)")
    command.add_argument("--boot", type=Path, metavar="DIR", help="the boot partition, default ROOT/boot/firmware")
    _add_json(command)


def _add_profile(command: argparse.ArgumentParser, nargs: str | None = None) -> None:
    command.add_argument("profile", metavar="PROFILE", nargs=nargs, help="a name of `list`, or a .toml file")
    command.add_argument("--camera", default="auto", metavar="C", help=f"one of {', '.join(CAMERAS)} (default auto)")


def _add_root(command: argparse.ArgumentParser) -> None:
    command.add_argument("root", type=_folder, metavar="ROOT", help="root of the system: / or a mounted card")
    command.add_argument("--boot", type=Path, metavar="DIR", help="the boot partition, default ROOT/boot/firmware")


def _folder(text: str) -> Path:
    # A root that was mistyped would be made, with a whole tree below it.
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(
            f"{text}: expected the root folder of a system, found no folder; mount it first"
        )
    return path


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print JSON")


if __name__ == "__main__":
    sys.exit(main())
