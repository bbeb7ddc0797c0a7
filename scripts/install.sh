#!/usr/bin/env bash
# Install Emotion Edge on Raspberry Pi OS or Debian, Bookworm or Trixie; run it again to update; see --help.
set -euo pipefail
umask 022 # a narrow one would hide the program from the service's user

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly here prefix=/opt/emotion-edge unit=emotion-edge.service
readonly exit_usage=2 exit_unsupported=3 exit_incomplete=10

root='' profile='' camera=auto wheels='' action=install
dropins=()
dry_run=false apt=true python=true purge=false

usage() {
    cat <<'USAGE'
Usage: sudo scripts/install.sh [--profile NAME] [options]
       sudo scripts/install.sh --uninstall [--purge] [--dry-run]

  --profile NAME  apply this device profile: boot settings, permissions, runtime values
                  (python3 -m firmware_config list names them); without it they are left alone
  --camera C      auto, imx219, imx477, imx708, imx296 or usb (default auto)
  --dropin NAME   install systemd/dropins/NAME.conf; may be given more than once
  --wheels DIR    take Python packages from this folder only, no network
  --no-apt        the Debian packages are there already
  --no-python     leave the Python environment alone: only unit, user, configuration, profile
  --root DIR      install below DIR, as for an image; starts nothing, asks apt for nothing
  --uninstall     take everything away but configuration, state, logs and the user
  --purge         with --uninstall: those too
  --dry-run       print what would be done, change nothing

Exit codes: 0 installed and `emotion-edge check` is content, 1 failed, 2 usage, 3 this system is not supported,
10 installed, but `emotion-edge check` found something missing.
USAGE
}

say() { printf '%s\n' "install: $*" >&2; }
fail() {
    local code=$1
    shift
    say "$*"
    exit "$code"
}

# Every change goes through here, so that --dry-run is honest.
run() {
    if $dry_run; then
        printf '+'
        printf ' %q' "$@"
        printf '\n'
    else
        "$@"
    fi
}

parse() {
    while [ $# -gt 0 ]; do
        case $1 in
            --profile | --camera | --dropin | --wheels | --root)
                [ $# -ge 2 ] || fail $exit_usage "$1 needs a value; see --help"
                case $1 in
                    --profile) profile=$2 ;;
                    --camera) camera=$2 ;;
                    --dropin) dropins+=("$2") ;;
                    --wheels) wheels=$2 ;;
                    --root) choose_root "$2" ;;
                esac
                shift
                ;;
            --no-apt) apt=false ;;
            --no-python) python=false ;;
            --uninstall) action=uninstall ;;
            --purge) purge=true ;;
            --dry-run) dry_run=true ;;
            --help | -h)
                usage
                exit 0
                ;;
            *) fail $exit_usage "unknown option '$1'; see --help" ;;
        esac
        shift
    done
    if $purge && [ "$action" != uninstall ]; then
        fail $exit_usage "--purge goes with --uninstall only"
    fi
    [ -z "$root" ] || apt=false
}

# An absolute path: systemd-sysusers and systemd-tmpfiles look a relative one up elsewhere. / itself is no root.
choose_root() {
    [ -d "$1" ] || fail $exit_usage "--root: expected a folder, found no folder '$1'; mount or make it first"
    root=$(realpath --no-symlinks -- "$1")
    root=${root%/}
}

check_inputs() {
    local name
    for name in "${dropins[@]+"${dropins[@]}"}"; do
        [ -f "$here/systemd/dropins/$name.conf" ] ||
            fail $exit_usage "no drop-in '$name'; there are: $(cd "$here/systemd/dropins" && echo *.conf)"
    done
    [ -z "$profile" ] || firmware show "$profile" --camera "$camera" >/dev/null ||
        fail $exit_usage "profile '$profile' with camera '$camera' is not valid, see above"
    if [ -z "$root" ] && ! $dry_run && [ "$(id -u)" -ne 0 ]; then
        fail 1 "needs root: sudo $0 ..., or look first with --dry-run"
    fi
}

# Whether a systemd is there to be told; not below --root, and not in a chroot.
running() { [ -z "$root" ] && { $dry_run || [ -d /run/systemd/system ]; }; }

# Which locked packages this system gets: LiteRT has no 32-bit build, tflite-runtime none for Python after 3.11.
choose_system() {
    local codename architecture
    codename=$(sed -n 's/^VERSION_CODENAME=//p' "$root/etc/os-release" 2>/dev/null || true)
    architecture=$(dpkg --print-architecture)
    system=$codename-$architecture
    case $system in
        bookworm-arm64 | bookworm-amd64 | trixie-arm64 | trixie-amd64) say "$codename on $architecture: LiteRT" ;;
        bookworm-armhf) say "$codename on $architecture: tflite-runtime" ;;
        trixie-armhf)
            fail $exit_unsupported "32-bit Trixie: no TFLite interpreter exists for it (tflite-runtime stops at" \
                "Python 3.11, LiteRT is 64-bit only); use the 64-bit Raspberry Pi OS, or 32-bit Bookworm"
            ;;
        *)
            fail $exit_unsupported "found '$codename' on '$architecture', expected bookworm or trixie on arm64 or amd64," \
                "or bookworm on armhf; on other systems use pip and systemd/README.md"
            ;;
    esac
}

# Both use /opt/emotion-edge, and dpkg would lose track of its files. Only not installed (n) and removed (c) have none.
refuse_beside_package() {
    [ -z "$root" ] || return 0
    case $(dpkg-query --show --showformat='${db:Status-Abbrev}' emotion-edge 2>/dev/null || true) in
        '' | ?n* | ?c*) ;;
        *) fail 1 "the Debian package emotion-edge is installed; sudo apt remove emotion-edge keeps the configuration" ;;
    esac
}

firmware() {
    # The profiles need the standard library alone, so this works before anything is installed.
    PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m firmware_config "$@"
}

install_packages() {
    # procps has the `kill` of the unit's reload; a minimal Debian lacks it.
    local packages=(python3 python3-venv python3-numpy procps)
    # No index has OpenCV for 32 bits, and msgspec's source only.
    [ "$system" != bookworm-armhf ] || packages+=(python3-opencv python3-dev gcc libc6-dev)
    # Before anything is looked up: a system that never asked for its lists knows no package that is not installed.
    run apt-get update
    # picamera2 comes with the system's libcamera; pip's copy of it does not fit. Only Raspberry Pi OS has it.
    if [ -n "$(apt-cache search --names-only '^python3-picamera2$')" ]; then
        packages+=(python3-picamera2)
    fi
    run apt-get install --yes --no-install-recommends "${packages[@]}"
}

install_python() {
    local venv=$root$prefix source=$root$prefix/source locked=$here/requirements/$system numpy
    # picamera2 and simplejpeg are compiled against the system's numpy: pip must never replace it, so it installs exactly
    # what the locks name, and they do not name numpy. /tmp is in memory on Trixie, and pip unpacks 150 MB.
    local pip=(env TMPDIR=/var/tmp "$venv/bin/python" -m pip install --disable-pip-version-check --no-deps)
    local index=()
    [ -z "$wheels" ] || index=(--no-index --find-links "$wheels")
    numpy=$(system_numpy)
    [ -n "$numpy" ] || $dry_run || fail 1 "the system's python3 has no numpy; sudo apt install python3-numpy"
    # An environment that a power cut left half made, or one of the Python before an upgrade of the system, has no pip.
    "$venv/bin/python" -c 'import pip, sys; sys.exit(not pip.__file__.startswith(sys.prefix))' 2>/dev/null ||
        run /usr/bin/python3 -m venv --clear --system-site-packages "$venv"
    run "${pip[@]}" "${index[@]+"${index[@]}"}" --require-hashes --only-binary=:all: --requirement "$locked.txt"
    [ ! -e "$locked-sources.txt" ] || run "${pip[@]}" "${index[@]+"${index[@]}"}" \
        --require-hashes --no-build-isolation --requirement "$locked-sources.txt"
    run rm -rf "$source"
    run mkdir -p "$source"
    # From a copy: pip builds in place, and what an earlier build left there would be installed too.
    run cp -R "$here"/{setup.py,pyproject.toml,LICENSE,edge_runtime,converter,firmware_config} "$source"
    [ ! -e "$here/README.md" ] || run cp "$here/README.md" "$source"
    # With the setuptools of the lock; nothing more is downloaded.
    run "${pip[@]}" --no-index --no-build-isolation "$source"
    run rm -rf "$source"
    $dry_run || check_numpy "$venv" "$numpy"
    run ln -sfn "$prefix/bin/emotion-edge" "$root/usr/local/bin/emotion-edge"
    run ln -sfn "$prefix/bin/emotion-firmware" "$root/usr/local/bin/emotion-firmware"
}

system_numpy() { /usr/bin/python3 -c 'import numpy; print(numpy.__version__)' 2>/dev/null || true; }

check_numpy() {
    local found
    found=$("$1/bin/python" -c 'import numpy; print(numpy.__version__, numpy.__file__)')
    case $found in
        "$2 /usr/lib/python3/dist-packages/"*) say "numpy is the system's: $found" ;;
        *) fail 1 "numpy in $1 is $found, expected the system's $2; remove $1 and install again" ;;
    esac
}

install_files() {
    local name units=$root/etc/systemd/system
    run install -D -m 0644 "$here/systemd/emotion-edge.sysusers.conf" "$root/usr/local/lib/sysusers.d/emotion-edge.conf"
    run install -D -m 0644 "$here/systemd/emotion-edge.tmpfiles.conf" "$root/usr/local/lib/tmpfiles.d/emotion-edge.conf"
    run install -D -m 0644 "$here/systemd/$unit" "$units/$unit"
    for name in "${dropins[@]+"${dropins[@]}"}"; do
        run install -D -m 0644 "$here/systemd/dropins/$name.conf" "$units/$unit.d/$name.conf"
    done
    if [ -e "$root/etc/emotion-edge/config.toml" ]; then
        say "$root/etc/emotion-edge/config.toml is yours and stays as it is"
    else
        run install -D -m 0644 "$here/systemd/config.toml" "$root/etc/emotion-edge/config.toml"
    fi
}

apply_profile() {
    local arguments=("$profile" "${root:-/}" --camera "$camera")
    if [ -z "$profile" ]; then
        say "no --profile: boot files and device permissions are left alone"
    elif $dry_run; then
        firmware apply "${arguments[@]}" --dry-run
    else
        firmware apply "${arguments[@]}"
    fi
}

create_user() {
    local own=/etc/sysusers.d/emotion-edge.conf general=/usr/local/lib/sysusers.d/emotion-edge.conf
    # The profile's file has the accelerator's group too.
    if [ -e "$root$own" ] || { $dry_run && [ -n "$profile" ]; }; then
        run systemd-sysusers ${root:+"--root=$root"} "$root$own"
    else
        run systemd-sysusers ${root:+"--root=$root"} "$root$general"
    fi
    run systemd-tmpfiles --create ${root:+"--root=$root"} "$root/usr/local/lib/tmpfiles.d/emotion-edge.conf"
}

wake_system() {
    running || return 0
    run systemctl daemon-reload
    # After the groups exist: udev looks their names up when it reads its rules. A container has no udev.
    if $dry_run || [ -S /run/udev/control ]; then
        run udevadm control --reload
        run udevadm trigger
    fi
}

# After an update: the old program would load what it has not loaded yet from the new files.
restart_service() {
    ! running || run systemctl try-restart "$unit" || say "$unit did not start again: systemctl status $unit"
}

check_installation() {
    [ -z "$root" ] || return 0
    # As the service's user: root would see devices that the service may not open.
    if ! run runuser -u emotion-edge -- "$prefix/bin/emotion-edge" check; then
        say "installed, but 'emotion-edge check' found something missing, see above; then: systemctl enable --now $unit"
        exit $exit_incomplete
    fi
    say "installed; start it with: systemctl enable --now $unit"
}

uninstall() {
    local dropin
    refuse_beside_package
    ! running || run systemctl disable --now "$unit" || say "$unit was not installed as a unit"
    if $dry_run; then
        firmware remove "${root:-/}" --dry-run
    else
        firmware remove "${root:-/}"
    fi
    run rm -rf "$root$prefix"
    for dropin in "$here"/systemd/dropins/*.conf; do
        run rm -f "$root/etc/systemd/system/$unit.d/${dropin##*/}"
    done
    run rm -f "$root/etc/systemd/system/$unit" "$root/usr/local/lib/sysusers.d/emotion-edge.conf" \
        "$root/usr/local/lib/tmpfiles.d/emotion-edge.conf" \
        "$root/usr/local/bin/emotion-edge" "$root/usr/local/bin/emotion-firmware"
    if $purge; then
        run rm -rf "$root/etc/emotion-edge" "$root/var/lib/emotion-edge" "$root/var/log/emotion-edge"
        [ -n "$root" ] || run userdel emotion-edge || say "the user emotion-edge was not there"
    else
        say "kept: /etc/emotion-edge, /var/lib/emotion-edge, /var/log/emotion-edge and the user (--purge takes them too)"
    fi
    ! running || run systemctl daemon-reload
}

parse "$@"
check_inputs
if [ "$action" = uninstall ]; then
    uninstall
    exit 0
fi
choose_system
refuse_beside_package
if $apt; then install_packages; fi
if $python; then install_python; fi
install_files
apply_profile
create_user
wake_system
restart_service
if $python; then check_installation; fi
