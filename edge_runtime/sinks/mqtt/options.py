"""From settings to what a connection needs: port, name, password and certificates; mistakes are told at start."""

from __future__ import annotations

import ipaddress
import logging
import ssl
import stat
from dataclasses import dataclass

from edge_runtime.credentials import secret_path
from edge_runtime.errors import ConfigError, SinkError
from edge_runtime.settings import Mqtt

logger = logging.getLogger(__name__)

PLAIN_PORT = 1883
TLS_PORT = 8883


@dataclass(frozen=True)
class Options:
    """Everything a connection needs to know."""

    settings: Mqtt
    device_id: str
    """One topic level."""

    def __post_init__(self) -> None:
        """Refuse settings that contradict each other."""
        _check(self.settings)

    @property
    def port(self) -> int:
        """The configured port, or the usual one."""
        return self.settings.port or (TLS_PORT if self.settings.tls else PLAIN_PORT)

    @property
    def broker(self) -> str:
        """What messages call the broker."""
        return f"{self.settings.host}:{self.port}"

    @property
    def client_id(self) -> str:
        """The broker knows our session by it, so it must stay the same and be one device's alone."""
        return f"emotion-edge-{self.device_id}"

    def topic(self, last_level: str) -> str:
        """Put base topic and device in front."""
        return f"{self.settings.base_topic}/{self.device_id}/{last_level}"

    def password(self) -> str | None:
        """Read the password file; SinkError when it cannot be read."""
        if not self.settings.password_file:
            return None
        path = secret_path(self.settings.password_file, key="mqtt.password_file")
        try:
            if path.stat().st_mode & stat.S_IROTH:
                logger.warning("%s: everybody can read this password; chmod 600", path)
            return path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SinkError(
                f"{path}: cannot read the MQTT password ({error}); mqtt.password_file names a UTF-8 file that holds "
                f"the password alone and that this user may read"
            ) from error

    def tls_context(self) -> ssl.SSLContext | None:
        """Trust the configured or the system's authorities, always verify; SinkError when a file cannot be used."""
        if not self.settings.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.settings.ca_file or None)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.settings.client_cert_file:
                # An encrypted key would make OpenSSL ask on the terminal; an empty password makes it fail instead.
                certificate = secret_path(self.settings.client_cert_file, key="mqtt.client_cert_file")
                named = self.settings.client_key_file
                key = secret_path(named, key="mqtt.client_key_file") if named else None
                context.load_cert_chain(certificate, key, password="")
        except OSError as error:  # ssl.SSLError is one
            raise SinkError(
                f"mqtt.ca_file {self.settings.ca_file!r}, mqtt.client_cert_file {self.settings.client_cert_file!r}, "
                f"mqtt.client_key_file {self.settings.client_key_file!r}: cannot use these certificates ({error}); "
                f"expected PEM files that this user may read, the key unencrypted and belonging to the certificate"
            ) from error
        return context


def _check(settings: Mqtt) -> None:
    if settings.will_delay_s >= settings.session_expiry_s:
        raise ConfigError(
            f"mqtt.will_delay_s = {settings.will_delay_s}: expected less than mqtt.session_expiry_s = "
            f"{settings.session_expiry_s}; the will is sent when the session ends, whatever its delay"
        )
    certificates = settings.ca_file or settings.client_cert_file or settings.client_key_file
    if certificates and not settings.tls:
        raise ConfigError(f"mqtt.tls = false, but {certificates!r} is configured; set mqtt.tls = true to encrypt")
    if settings.client_key_file and not settings.client_cert_file:
        raise ConfigError("mqtt.client_key_file is set without mqtt.client_cert_file; a key needs its certificate")
    if settings.password_file and not settings.username:
        raise ConfigError("mqtt.password_file is set without mqtt.username; a password needs a user name")
    if settings.password_file and not settings.tls and not _is_this_machine(settings.host):
        logger.warning("mqtt.tls is off: the password travels to %s in clear text", settings.host)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
