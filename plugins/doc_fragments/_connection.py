# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The options by which a Hyper-V host is reached; the argument spec is in module_utils/_arguments.py."""

from __future__ import annotations


def _further(role: str) -> str:
    """The documentation of the options by which a further host of a task is reached without an inventory."""
    lines = [
        "options:",
        f"  {role}_connection:",
        "    description:",
        f"      - How the {role} is reached when it is no host of the inventory, or other than the inventory says.",
        "    type: dict",
        "    suboptions:",
    ]
    for name, (kind, choices) in _FURTHER.items():
        lines += [f"      {name}:", "        description:", f"          - As O({name}), for the {role}."]
        lines += [f"        type: {kind}"]
        lines += ["        choices:", *(f"          - {choice}" for choice in choices)] if choices else []
    return "\n".join(lines) + "\n"


_FURTHER: dict[str, tuple[str, tuple[str, ...]]] = {
    "server": ("str", ()),
    "username": ("str", ()),
    "password": ("str", ()),
    "port": ("int", ()),
    "protocol": ("str", ("https", "http")),
    "auth": ("str", ("negotiate", "kerberos", "ntlm", "credssp", "basic", "certificate")),
    "cert_validation": ("str", ("validate", "ignore")),
    "ca_cert": ("path", ()),
    "message_encryption": ("str", ("auto", "always", "never")),
    "configuration_name": ("str", ()),
    "certificate_pem": ("path", ()),
    "certificate_key_pem": ("path", ()),
    "negotiate_delegate": ("bool", ()),
    "negotiate_hostname_override": ("str", ()),
    "negotiate_service": ("str", ()),
    "ignore_proxy": ("bool", ()),
    "operation_timeout": ("int", ()),
    "read_timeout": ("int", ()),
    "connection_timeout": ("int", ()),
}


class ModuleDocFragment:
    """How a Hyper-V host is reached, and what a further host is called."""

    DOCUMENTATION = r"""
options:
  server:
    description:
      - The DNS name or address of the Hyper-V host.
      - For an inventory host whose connection is P(ansible.builtin.psrp#connection) or
        P(ansible.builtin.winrm#connection) all connection options that are left out come from the variables of that
        host (C(ansible_host), C(ansible_user), C(ansible_password), C(ansible_psrp_*), C(ansible_winrm_*)), so that
        usually none is needed. The environment variables named below only fill what is neither in the task nor in the
        inventory.
      - Without it, the value of the environment variable E(FANOUT_HYPERV_SERVER) is used.
    type: str
  username:
    description:
      - The user to log in with.
      - Without it, the value of the environment variable E(FANOUT_HYPERV_USERNAME) is used.
    type: str
  password:
    description:
      - The password of the user.
      - Without it, the value of the environment variable E(FANOUT_HYPERV_PASSWORD) is used.
    type: str
  port:
    description:
      - The port of WinRM on the host. Without it V(5986) for HTTPS and V(5985) for HTTP.
      - Without it, the value of the environment variable E(FANOUT_HYPERV_PORT) is used.
    type: int
  protocol:
    description:
      - How WinRM is spoken. Without it V(https), or what O(port) implies.
      - Without it, the value of the environment variable E(FANOUT_HYPERV_PROTOCOL) is used.
    type: str
    choices:
      - https
      - http
  auth:
    description:
      - How to authenticate. Without it V(negotiate).
      - V(basic) is only possible over HTTPS.
      - Without it, the value of the environment variable E(FANOUT_HYPERV_AUTH) is used.
    type: str
    choices:
      - negotiate
      - kerberos
      - ntlm
      - credssp
      - basic
      - certificate
  cert_validation:
    description:
      - Whether the certificate of the host has to be valid. Without it V(validate).
      - Without it, the value of the environment variable E(FANOUT_HYPERV_CERT_VALIDATION) is used.
    type: str
    choices:
      - validate
      - ignore
  ca_cert:
    description:
      - A file with the certificates of the authorities that sign the hosts' certificates.
      - Without it, the value of the environment variable E(FANOUT_HYPERV_CA_CERT) is used.
    type: path
  message_encryption:
    description:
      - Whether messages are encrypted by the authentication. Without it V(auto), which does so over HTTP.
      - Without it, the value of the environment variable E(FANOUT_HYPERV_MESSAGE_ENCRYPTION) is used.
    type: str
    choices:
      - auto
      - always
      - never
  configuration_name:
    description:
      - The PowerShell session configuration (a JEA endpoint for instance). Without it C(Microsoft.PowerShell).
      - Without it, the value of the environment variable E(FANOUT_HYPERV_CONFIGURATION_NAME) is used.
    type: str
  certificate_pem:
    description:
      - The client certificate for O(auth=certificate).
      - Without it, the value of the environment variable E(FANOUT_HYPERV_CERTIFICATE_PEM) is used.
    type: path
  certificate_key_pem:
    description:
      - The key of the client certificate for O(auth=certificate).
      - Without it, the value of the environment variable E(FANOUT_HYPERV_CERTIFICATE_KEY_PEM) is used.
    type: path
  negotiate_delegate:
    description:
      - Whether the credentials are delegated to the host, as far as Kerberos allows that.
      - Without it, the value of the environment variable E(FANOUT_HYPERV_NEGOTIATE_DELEGATE) is used.
    type: bool
  negotiate_hostname_override:
    description:
      - The name of the host in its service principal name, when it is not O(server).
      - Without it, the value of the environment variable E(FANOUT_HYPERV_NEGOTIATE_HOSTNAME_OVERRIDE) is used.
    type: str
  negotiate_service:
    description:
      - The service in the service principal name. Without it V(WSMAN).
      - Without it, the value of the environment variable E(FANOUT_HYPERV_NEGOTIATE_SERVICE) is used.
    type: str
  ignore_proxy:
    description:
      - Whether proxies named in the environment are left aside.
      - Without it, the value of the environment variable E(FANOUT_HYPERV_IGNORE_PROXY) is used.
    type: bool
  operation_timeout:
    description:
      - How many seconds the host may take before it answers a WinRM request, with a result or with the news that there
        is none yet.
      - Without it, the value of the environment variable E(FANOUT_HYPERV_OPERATION_TIMEOUT) is used.
    type: int
  read_timeout:
    description:
      - How many seconds to wait for data on the connection. Has to be more than O(operation_timeout).
      - Without it, the value of the environment variable E(FANOUT_HYPERV_READ_TIMEOUT) is used.
    type: int
  connection_timeout:
    description:
      - How many seconds to wait for the host to take the connection.
      - Without it, the value of the environment variable E(FANOUT_HYPERV_CONNECTION_TIMEOUT) is used.
    type: int
requirements:
  - pypsrp >= 0.9
notes:
  - Where the task runs inside the Ansible worker (see the guide), the requirements are those of the control node.
"""

    SOURCE = _further("source")

    DESTINATION = _further("destination")
