"""The page, health and metrics: whether the token and the notice can be used, and whether the port is free."""

from __future__ import annotations

import importlib.util
import socket

from edge_runtime.doctor.finding import Finding, failed, off, ok
from edge_runtime.settings import Web
from edge_runtime.web.guard import Guard
from edge_runtime.web.notice import load_notice


def look(settings: Web, *, service_runs: bool) -> Finding:
    """Look at everything the web server needs.

    Args:
        settings: of it.
        service_runs: the service may be what listens there.

    Raises:
        ConfigError: the token or the notice cannot be used.
    """
    if not settings.enabled:
        return off("page", "web.enabled = false; no page, no health, no metrics")
    Guard(settings)
    load_notice(settings.notice_file)
    shown = "page, health" if settings.page else "health"
    metrics = "metrics" if importlib.util.find_spec("prometheus_client") else "no metrics without prometheus-client"
    found = f"{settings.host} port {settings.port}: {shown}, {metrics}"
    try:
        _listen(settings)
    except OSError as error:
        if service_runs:
            return ok("page", f"{found}; the running service has it")
        remedy = "choose another web.host or web.port, or end what listens there: sudo ss -ltnp"
        return failed("page", f"{found}: cannot listen there ({error.strerror})", remedy)
    return ok("page", found)


def _listen(settings: Web) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((settings.host, settings.port))
        listening.listen()
