"""The way to the broker, and the clock that certificates are judged by."""

from __future__ import annotations

import socket
import ssl
from typing import Final

from edge_runtime.clock import SystemClock
from edge_runtime.doctor.finding import Finding, failed, off, ok, warning
from edge_runtime.doctor.machine import Machine
from edge_runtime.errors import BrokerError, EdgeRuntimeError
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt.options import Options

_BROKER_TIMEOUT_S: Final = 3.0
_DEFAULT_ROUTE: Final = "00000000"
_BROKER: Final = BrokerError.exit_code


def look(machine: Machine, settings: Mqtt) -> list[Finding]:
    """Look at the default route, the broker and the clock."""
    return [_route(machine), broker(settings), clock()]


def _route(machine: Machine) -> Finding:
    lines = [line.split() for line in (machine.text("proc/net/route") or "").splitlines()[1:]]
    interfaces = sorted({line[0] for line in lines if len(line) > 1 and line[1] == _DEFAULT_ROUTE})
    if not interfaces:
        return off("network", "no way to other networks; a broker on this machine needs none")
    return ok("network", f"to other networks over {', '.join(interfaces)}")


def broker(settings: Mqtt) -> Finding:
    """Connect to the broker's port and, with TLS, judge its certificate as the service does."""
    if not settings.host:
        return off("broker", "none is configured")
    try:
        options = Options(settings, "check")
        options.password()
        context = options.tls_context()
    except EdgeRuntimeError as error:
        found, _, remedy = str(error).rpartition("; ")
        return failed("broker", found or str(error), remedy, exit_code=error.exit_code)
    try:
        with socket.create_connection((settings.host, options.port), timeout=_BROKER_TIMEOUT_S) as plain:
            if context is None:
                return ok("broker", f"{options.broker} takes connections, not encrypted")
            with context.wrap_socket(plain, server_hostname=settings.host) as encrypted:
                return ok("broker", f"{options.broker} takes connections, {encrypted.version()}, certificate trusted")
    except ssl.SSLCertVerificationError as error:
        remedy = "correct mqtt.ca_file or mqtt.host; is the clock below right?"
        found = f"{options.broker}: its certificate is not trusted: {error.verify_message}"
        return failed("broker", found, remedy, exit_code=_BROKER)
    except (OSError, UnicodeError) as error:  # ssl.SSLError is an OSError; UnicodeError: a name that no resolver takes
        remedy = "start the broker, or correct mqtt.host, mqtt.port and mqtt.tls"
        return failed("broker", f"{options.broker}: {error}", remedy, exit_code=_BROKER)


def clock() -> Finding:
    """Ask whether the wall clock is known to be right."""
    if SystemClock().synchronized():
        return ok("clock", "synchronized")
    remedy = "sudo timedatectl set-ntp true; until then events carry clock_synced = false"
    return warning("clock", "not known to be synchronized", remedy)
