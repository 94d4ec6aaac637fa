# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach a host: one value, from module options or from the inventory variables people already have.

The names of the fields are those of the ansible.builtin.psrp connection plugin where it has one. ``from_psrp_options``
and ``from_winrm_options`` take the options of those two plugins as their ``get_options()`` returns them.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t
from dataclasses import dataclass, field

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import InvalidInput

Options = t.Mapping[str, t.Any]

AUTHS = ("basic", "certificate", "credssp", "kerberos", "negotiate", "ntlm")
ENCRYPTING_AUTHS = ("credssp", "kerberos", "negotiate", "ntlm")
PORTS = {"https": 5986, "http": 5985}

_TRUE = frozenset(("true", "yes", "on", "1", "y", "t"))
_FALSE = frozenset(("false", "no", "off", "0", "n", "f", ""))

# pywinrm's transports are pypsrp's auths by another name.
_TRANSPORTS = {
    "auto": "negotiate",
    "basic": "basic",
    "certificate": "certificate",
    "credssp": "credssp",
    "kerberos": "kerberos",
    "negotiate": "negotiate",
    "ntlm": "ntlm",
    "plaintext": "basic",
    "ssl": "basic",
}


@dataclass(frozen=True)
class ConnectionOptions:
    """Everything a session needs to know. Its repr shows no secrets."""

    server: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    port: int | None = None
    protocol: str | None = None
    path: str = "wsman"
    auth: str = "negotiate"
    cert_validation: str = "validate"
    ca_cert: str | None = None
    message_encryption: str = "auto"
    configuration_name: str = "Microsoft.PowerShell"
    certificate_pem: str | None = None
    certificate_key_pem: str | None = None
    certificate_key_password: str | None = field(default=None, repr=False)
    credssp_auth_mechanism: str = "auto"
    credssp_disable_tlsv1_2: bool = False
    credssp_minimum_version: int = 2
    negotiate_delegate: bool = False
    negotiate_hostname_override: str | None = None
    negotiate_send_cbt: bool = True
    negotiate_service: str | None = None
    proxy: str | None = field(default=None, repr=False)
    ignore_proxy: bool = False
    max_envelope_size: int = 153600
    operation_timeout: int = 20
    read_timeout: int = 30
    connection_timeout: int = 30
    reconnection_retries: int = 0
    reconnection_backoff: float = 2.0
    warnings: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        """Fill in protocol and port as the psrp plugin does: HTTPS on 5986 unless the one or the other says HTTP."""
        protocol, port = self.protocol, self.port
        if protocol is None:
            protocol = "http" if port == PORTS["http"] else "https"
        object.__setattr__(self, "protocol", protocol)
        object.__setattr__(self, "port", PORTS.get(protocol, 0) if port is None else port)

    @property
    def tls(self) -> bool:
        return self.protocol == "https"

    @property
    def verify(self) -> bool | str:
        """What the HTTP library wants to hear about certificates."""
        if self.cert_validation == "ignore":
            return False
        return self.ca_cert or True

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be seen in a message."""
        return tuple(secret for secret in (self.password, self.certificate_key_password) if secret)

    def validate(self) -> ConnectionOptions:
        """Refuse what cannot work or must not be done; return self."""
        _check_server(self)
        _check_choices(self)
        _check_numbers(self)
        _check_encryption(self)
        _check_credentials(self)
        return self

    @classmethod
    def from_params(cls, params: Options) -> ConnectionOptions:
        """From module options, which have the names of the fields; what is None or absent takes its default."""
        given = {name: params[name] for name in _FIELDS if params.get(name) is not None}
        if not given.get("server"):
            raise InvalidInput(
                "server is not set", code="NO_SERVER", remedy="Set server to the host's name or address."
            )
        return _build(given, _delegation_warnings(given))

    @classmethod
    def from_psrp_options(cls, options: Options) -> ConnectionOptions:
        """From the options of the ansible.builtin.psrp connection plugin."""
        same = {name: options[name] for name in _FIELDS - {"server", "username", "password"} if name in options}
        same["server"] = options.get("remote_addr")
        same["username"] = options.get("remote_user")
        same["password"] = options.get("remote_password")
        if "cert_trust_path" in options and same.get("ca_cert") is None:
            same["ca_cert"] = options["cert_trust_path"]
        if same.get("proxy"):
            same["ignore_proxy"] = False
        return cls.from_params(same)

    @classmethod
    def from_winrm_options(cls, options: Options) -> ConnectionOptions:
        """From the options of the ansible.builtin.winrm connection plugin, with its extra ``ansible_winrm_*`` ones."""
        extras = _extras(options)
        given, warnings = _winrm_common(options, extras)
        given["auth"], more = _winrm_auth(options, given["protocol"])
        warnings += more
        if given["auth"] == "kerberos" and options.get("kerberos_mode") == "manual":
            given["password"] = None
        given = {name: value for name, value in given.items() if value is not None}
        if not given.get("server"):
            raise InvalidInput("the host has no address", code="NO_SERVER", remedy="Set ansible_host.")
        return _build(given, tuple(warnings) + _delegation_warnings(given))


_FIELDS = frozenset(item.name for item in dataclasses.fields(ConnectionOptions)) - {"warnings"}
_INTEGERS = frozenset(
    (
        "port",
        "credssp_minimum_version",
        "max_envelope_size",
        "operation_timeout",
        "read_timeout",
        "connection_timeout",
        "reconnection_retries",
    )
)
_BOOLEANS = frozenset(("credssp_disable_tlsv1_2", "negotiate_delegate", "negotiate_send_cbt", "ignore_proxy"))
_PATHS = frozenset(("ca_cert", "certificate_pem", "certificate_key_pem"))


def _build(given: dict[str, t.Any], warnings: tuple[str, ...]) -> ConnectionOptions:
    return ConnectionOptions(**{name: _convert(name, value) for name, value in given.items()}, warnings=warnings)


def _convert(name: str, value: t.Any) -> t.Any:
    """Inventory variables are often text where a number or a yes/no is meant."""
    try:
        if name in _INTEGERS:
            return int(value)
        if name == "reconnection_backoff":
            return float(value)
        if name in _BOOLEANS:
            return _boolean(value)
    except (TypeError, ValueError):
        raise InvalidInput(f"{name} has a value that it cannot have: {value!r}", code="INVALID_OPTION") from None
    if name in _PATHS:
        return os.path.expanduser(os.path.expandvars(str(value)))
    return str(value).lower() if name in ("auth", "protocol", "message_encryption", "cert_validation") else str(value)


def _boolean(value: t.Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(text)


def _delegation_warnings(given: Options) -> tuple[str, ...]:
    """Delegation that was asked for and cannot be carried would otherwise end in 0x8009030E, much later."""
    try:
        wanted = _boolean(given.get("negotiate_delegate") or False)
    except ValueError:
        return ()
    auth = str(given.get("auth") or "negotiate").lower()
    if not wanted or auth in ("kerberos", "credssp"):
        return ()
    if auth == "negotiate":
        return ("Delegation was asked for: it is carried by Kerberos only, and negotiate may fall back to NTLM.",)
    return (f"Delegation was asked for, and {auth} cannot carry it: use kerberos or credssp.",)


# -- winrm ------------------------------------------------------------------------------------------------------------


def _extras(options: Options) -> dict[str, t.Any]:
    """``ansible_winrm_*`` variables that the plugin hands through to pywinrm, without their prefix."""
    prefix = "ansible_winrm_"
    extras = dict(options.get("_extras") or {})
    extras.update({name: value for name, value in options.items() if name.startswith(prefix)})
    return {name.removeprefix(prefix): value for name, value in extras.items()}


def _winrm_common(options: Options, extras: Options) -> tuple[dict[str, t.Any], list[str]]:
    port = int(options.get("port") or PORTS["https"])
    protocol = options.get("scheme") or ("http" if port == PORTS["http"] else "https")
    operation, read = _winrm_timeouts(options, extras)
    given: dict[str, t.Any] = {
        "server": options.get("remote_addr"),
        "username": options.get("remote_user"),
        "password": options.get("remote_password"),
        "port": port,
        "protocol": protocol,
        "path": str(options.get("path") or "wsman").strip("/"),
        "cert_validation": extras.get("server_cert_validation"),
        "ca_cert": _unless_legacy(extras.get("ca_trust_path")),
        "message_encryption": extras.get("message_encryption"),
        "certificate_pem": extras.get("cert_pem"),
        "certificate_key_pem": extras.get("cert_key_pem"),
        "credssp_disable_tlsv1_2": extras.get("credssp_disable_tlsv1_2"),
        "negotiate_delegate": extras.get("kerberos_delegation"),
        "negotiate_hostname_override": extras.get("kerberos_hostname_override"),
        "negotiate_send_cbt": extras.get("send_cbt"),
        "negotiate_service": extras.get("service"),
        "operation_timeout": operation,
        "read_timeout": read,
    }
    given.update(_winrm_proxy(extras))
    unused = sorted(name for name in ("realm", "keytab") if extras.get(name))
    return given, [f"ansible_winrm_{name} has no meaning here and is left out." for name in unused]


def _unless_legacy(value: t.Any) -> t.Any:
    """pywinrm's word for "as the environment says", which is our default."""
    return None if value == "legacy_requests" else value


def _winrm_proxy(extras: Options) -> dict[str, t.Any]:
    if "proxy" not in extras:
        return {}
    proxy = _unless_legacy(extras["proxy"])
    return {"proxy": proxy, "ignore_proxy": not extras["proxy"]}


def _winrm_timeouts(options: Options, extras: Options) -> tuple[t.Any, t.Any]:
    timeout = options.get("connection_timeout")
    if timeout:
        return int(timeout), int(timeout) + 10
    return extras.get("operation_timeout_sec"), extras.get("read_timeout_sec")


def _winrm_auth(options: Options, protocol: str) -> tuple[str, list[str]]:
    wanted = options.get("transport") or []
    transports = [wanted] if isinstance(wanted, str) else [str(item) for item in wanted if item is not None]
    if not transports:
        user = str(options.get("remote_user") or "")
        transports = ["kerberos"] if "@" in user else ["ssl" if protocol == "https" else "plaintext"]
    unknown = [name for name in transports if name.lower() not in _TRANSPORTS]
    if unknown:
        raise InvalidInput(f"ansible_winrm_transport: {unknown[0]!r} is not known", code="INVALID_OPTION")
    auths = list(dict.fromkeys(_TRANSPORTS[name.lower()] for name in transports))
    if auths == ["kerberos", "ntlm"]:
        return "negotiate", []
    if len(auths) > 1:
        return auths[0], [f"ansible_winrm_transport names {len(auths)} ways; only the first one, {auths[0]}, is used."]
    return auths[0], []


# -- validation -------------------------------------------------------------------------------------------------------


def _check_server(options: ConnectionOptions) -> None:
    if not options.server.strip() or any(sign in options.server for sign in "/\\@ ?#"):
        raise InvalidInput(
            f"{options.server!r} is not the name or address of a host",
            code="INVALID_SERVER",
            remedy="Give a DNS name or an address, without scheme, port or path.",
        )


def _check_choices(options: ConnectionOptions) -> None:
    choices = {
        "protocol": tuple(PORTS),
        "auth": AUTHS,
        "cert_validation": ("validate", "ignore"),
        "message_encryption": ("auto", "always", "never"),
        "credssp_auth_mechanism": ("auto", "kerberos", "ntlm"),
    }
    for name, allowed in choices.items():
        value = getattr(options, name)
        if value not in allowed:
            raise InvalidInput(
                f"{name} is {value!r}", code="INVALID_OPTION", remedy=f"It must be one of {', '.join(allowed)}."
            )


def _check_numbers(options: ConnectionOptions) -> None:
    for name in ("port", "operation_timeout", "read_timeout", "connection_timeout"):
        if getattr(options, name) < 1:
            raise InvalidInput(f"{name} must be at least 1", code="INVALID_OPTION")
    if not 1 <= t.cast(int, options.port) <= 65535:
        raise InvalidInput(f"port is {options.port}", code="INVALID_OPTION")
    if options.reconnection_retries < 0 or options.reconnection_backoff < 0:
        raise InvalidInput("reconnection_retries and reconnection_backoff cannot be negative", code="INVALID_OPTION")
    if options.read_timeout <= options.operation_timeout:
        raise InvalidInput(
            f"read_timeout ({options.read_timeout} s) must be greater than operation_timeout "
            f"({options.operation_timeout} s)",
            code="INVALID_OPTION",
            remedy="Otherwise every answer that the host holds back for a while looks like a broken connection.",
        )


def _check_encryption(options: ConnectionOptions) -> None:
    if options.tls:
        if options.message_encryption == "always" and options.auth not in ENCRYPTING_AUTHS:
            raise InvalidInput(f"{options.auth} cannot encrypt messages", code="INVALID_OPTION")
        return
    if options.auth not in ENCRYPTING_AUTHS:
        raise InvalidInput(
            f"{options.auth} over HTTP would send everything in the clear",
            code="INSECURE_CONNECTION",
            remedy="Use HTTPS (port 5986), or negotiate, kerberos, ntlm or credssp, which encrypt their messages.",
        )
    if options.message_encryption == "never":
        raise InvalidInput(
            "HTTP without message encryption would send everything in the clear",
            code="INSECURE_CONNECTION",
            remedy="Set message_encryption to auto, or use HTTPS (port 5986).",
        )


def _check_credentials(options: ConnectionOptions) -> None:
    if options.auth in ("basic", "credssp") and not (options.username and options.password):
        raise InvalidInput(f"{options.auth} needs a user and a password", code="NO_CREDENTIALS")
    if options.auth == "ntlm" and options.username and options.password is None:
        raise InvalidInput("ntlm needs a password", code="NO_CREDENTIALS")
    if options.auth == "certificate" and not (options.certificate_pem and options.certificate_key_pem):
        raise InvalidInput("certificate needs certificate_pem and certificate_key_pem", code="NO_CREDENTIALS")
    for name in _PATHS:
        path = getattr(options, name)
        if path and (name != "ca_cert" or options.cert_validation == "validate") and not os.path.exists(path):
            raise InvalidInput(f"{name}: there is no file {path}", code="NO_SUCH_FILE")


__all__ = ["AUTHS", "ENCRYPTING_AUTHS", "PORTS", "ConnectionOptions"]
