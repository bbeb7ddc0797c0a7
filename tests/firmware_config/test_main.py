"""The command: data on standard output, the rest on standard error, and exit codes that scripts can rely on."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from firmware_config.__main__ import main
from firmware_config.profiles import profile_names
from tests.firmware_config.conftest import STOCK_CONFIG


def test_list_names_every_profile(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["list"])

    assert code == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(profile_names())


def test_list_as_json_names_profiles_and_cameras(capsys: pytest.CaptureFixture[str]) -> None:
    main(["list", "--json"])

    listed = json.loads(capsys.readouterr().out)
    assert tuple(listed["profiles"]) == profile_names()
    assert listed["cameras"] == ["auto", "imx219", "imx477", "imx708", "imx296", "usb"]


def test_show_tells_what_has_been_proven(capsys: pytest.CaptureFixture[str]) -> None:
    main(["show", "pi5-coral-m2"])
    text = capsys.readouterr().out
    main(["show", "pi5-coral-m2", "--json"])
    shown = json.loads(capsys.readouterr().out)

    assert "proof: rendered and tested as text" in text
    assert "  boot/firmware/emotion-edge.txt" in text
    assert shown["profile"]["board"]["boot_filter"] == "pi5"


def test_render_writes_the_files_and_names_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["render", "pi4", str(tmp_path / "out"), "--camera", "imx708"])

    named = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert set(named) == {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert "dtoverlay=imx708\n" in (tmp_path / "out/boot/firmware/emotion-edge.txt").read_text()


def test_render_with_secrets_fills_the_first_boot_files_for_root_only(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ("hostname", "user", "ssh-key", "wifi-country", "wifi-ssid", "wifi-psk"):
        (secrets / name).write_text(f"my {name}\n")

    code = main(["render", "pi4", str(tmp_path / "out"), "--secrets", str(secrets)])

    network = tmp_path / "out/firstboot/network-config"
    assert code == 0
    assert 'password: "my wifi-psk"' in network.read_text()
    assert network.stat().st_mode & 0o777 == 0o600


def test_render_with_a_secret_missing_is_a_configuration_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["render", "pi4", str(tmp_path / "out"), "--secrets", str(tmp_path)])

    assert code == 3
    assert "needs a file `" in capsys.readouterr().err


def test_diff_tells_by_its_exit_code(card: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = main(["diff", "pi4", str(card), "--json"])
    changes = json.loads(capsys.readouterr().out)["changes"]
    main(["apply", "pi4", str(card)])
    after = main(["diff", "pi4", str(card)])

    assert (before, after) == (1, 0)
    assert "boot/firmware/config.txt" in [change["name"] for change in changes]


def test_apply_shows_the_difference_before_it_writes(card: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["apply", "pi4", str(card)])

    shown = capsys.readouterr()
    assert code == 0
    assert "+include emotion-edge.txt" in shown.out
    assert "the files as they were are in" in shown.err


def test_apply_names_what_creates_the_groups_and_remove_does_not(
    card: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["apply", "pi5-coral-m2", str(card)])
    applied = capsys.readouterr().err
    main(["remove", str(card)])
    removed = capsys.readouterr().err

    assert "run `systemd-sysusers` for the user's groups, and restart" in applied
    assert "systemd-sysusers" not in removed
    assert "; restart for the boot settings" in removed


def test_apply_dry_run_writes_nothing(card: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["apply", "pi4", str(card), "--dry-run"])

    assert code == 0
    assert "nothing was written" in capsys.readouterr().err
    assert (card / "boot/firmware/config.txt").read_text() == STOCK_CONFIG
    assert not (card / "etc").exists()


def test_an_unknown_boot_partition_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["apply", "pi4", str(tmp_path)])

    assert code == 1
    assert "not a boot partition" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["apply", "x86-generic"], ["diff", "x86-generic"], ["remove"]], ids=lambda w: w[0])
def test_a_root_that_is_no_folder_is_a_usage_error_and_is_not_made(
    tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "mistyped"

    with pytest.raises(SystemExit, match="2"):
        main([*words, str(root)])

    assert f"{root}: expected the root folder of a system, found no folder" in capsys.readouterr().err
    assert not root.exists()


def test_following_the_remedy_of_check_makes_its_files_ok(card: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["check", "pi4", "--camera", "imx708", "--root", str(card)]
    main(asked)
    remedy = capsys.readouterr().out.partition("run `")[2].partition("`")[0]

    main(shlex.split(remedy)[1:])
    main(asked)

    assert "ok       files" in capsys.readouterr().out


def test_check_without_a_profile_checks_all_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["check", "--json", "--root", str(tmp_path)])

    assert code == 0
    assert len(json.loads(capsys.readouterr().out)["findings"]) == len(profile_names())


def test_check_of_a_machine_that_differs_fails(card: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["check", "pi4", "--root", str(card)])

    assert code == 1
    assert "failed   files" in capsys.readouterr().out


def test_an_unknown_profile_is_a_configuration_error(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["show", "pi6"])

    shown = capsys.readouterr()
    assert (code, shown.out) == (3, "")
    assert 'emotion-firmware: profile "pi6"' in shown.err


def test_a_wrong_flag_is_a_usage_error(repository: Path) -> None:
    command = [sys.executable, "-m", "firmware_config", "list", "--nope"]

    done = subprocess.run(command, cwd=repository, capture_output=True, timeout=60, check=False)

    assert done.returncode == 2


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib is in the standard library since Python 3.11")
def test_the_module_runs_with_the_standard_library_alone(repository: Path) -> None:
    # -S leaves site-packages out: a third-party import would fail.
    command = [sys.executable, "-S", "-m", "firmware_config", "check"]

    done = subprocess.run(command, cwd=repository, capture_output=True, timeout=60, check=False, text=True)

    assert done.returncode == 0, done.stderr
