# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lab's answers may differ from recorded ones: one by one, each with its reason. All else is a failure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .compare import Difference

RECORD = r".*/(Debug|Verbose|Warning)Record/Obj/MS"
ERROR = r".*/(ErrorRecord/Obj|PipelineState/Obj/MS/Obj\[ExceptionAsErrorRecord\])"
PRIVATE = r".*/ApplicationPrivateData/Obj/MS/Obj\[ApplicationPrivateData\]/DCT"
OLD = "test_psrp_run_protocol_version_2.[12]"


@dataclass(frozen=True)
class Allowed:
    """``path`` is matched as a whole; ``kinds`` as in Difference; ``only``: recordings, as a pattern."""

    path: str
    kinds: str
    reason: str
    only: str = "*"

    def covers(self, recording: str, difference: Difference) -> bool:
        return (
            fnmatchcase(recording, self.only)
            and difference.kind in self.kinds.split()
            and re.fullmatch(self.path, difference.path) is not None
        )


ALLOWED = (
    # each side's own
    Allowed("Envelope/Header/(MessageID|ActivityId)", "value", "made anew for every answer"),
    Allowed("Envelope/Header/ActivityId", "extra", "sent by some hosts and not by others, in the same situation"),
    Allowed("Envelope/Body/.*Shell/(Owner|ClientIP|ProcessId)", "value", "another user, client and process"),
    Allowed("Envelope/Body/.*Shell/(ShellRunTime|ShellInactivity)", "value", "seconds between requests"),
    Allowed(".*/WSManFault@Machine", "value", "another host"),
    Allowed(".*/EncryptedSessionKey/Obj/MS/S.*", "value", "a random key, encrypted for the client's"),
    # what WinRM tells about itself
    Allowed(".*Shell/(MemoryUsed|ChildProcesses)", "missing", "the lab's shells are no processes; no client reads it"),
    Allowed(".*/Message/ProviderFault", "missing", "names the DLL that refused; code and text are the same"),
    Allowed(
        ".*/Environment/Variable.*",
        "missing extra",
        "the real host loses a backslash in a variable's name",
        "test_winrs_environment",
    ),
    # the version of the real host
    Allowed(f"{PRIVATE}/.*Version", "value", "the build of the recorded host"),
    Allowed(f"{PRIVATE}/.*/(Version.*|En.*)", "value", "the build of the recorded host"),
    Allowed(
        f"{PRIVATE}.*", "missing extra value", "Windows Server 2008 R2 and 2012, which the lab does not simulate", OLD
    ),
    Allowed(r".*/SessionCapability/Obj/MS/Version\[protocolversion\]", "value", "Windows Server 2008 R2 and 2012", OLD),
    Allowed("Envelope/Body/Shell", "extra", "Windows Server 2008 R2 does not describe the shell that it made", OLD),
    # psrpcore, which writes the lab's protocol messages
    Allowed(".*@mark", "value", "psrpcore sends no byte order mark where hosts send one; clients take both"),
    Allowed(f"{PRIVATE}.*/TN/T", "value missing", "psrpcore writes dictionaries and lists under their plain types"),
    Allowed(".*/EncryptedSessionKey@pool", "value", "psrpcore names the pool, hosts name none; clients do not look"),
    # records: what the recorded scripts' errors and messages say about the script that they came from
    Allowed(f"{RECORD}/.*", "missing", "where in a script the message was written: the lab runs no scripts"),
    Allowed(rf"{RECORD}/B\[InformationalRecord_SerializeInvocationInfo\]", "value", "the same, as a flag"),
    Allowed(
        rf"{ERROR}/MS/.*Invocation.*", "missing extra value", "a script's error has a place in it, a cmdlet's a command"
    ),
    Allowed(
        rf"{ERROR}/MS/.*(CommandInfo_|PipelineIterationInfo|Serialize|ScriptStackTrace|writeErrorStream|PSMessageDetails).*",
        "missing extra value",
        "the same: what was running when the error came",
    ),
    Allowed(
        rf"{ERROR}/MS/Obj\[Exception\]/Props/.*",
        "missing extra value",
        "properties of .NET exceptions beside text and code",
    ),
    Allowed(
        ".*/RunspacePoolState@object",
        "value",
        "to a new client the real host sends once more what it had sent already; the lab says it anew",
        "test_psrp_disconnect_runspaces",
    ),
    # not known
    Allowed(
        r".*/RunspaceAvailability/Obj/MS/B\[SetMinMaxRunspacesResponse\]",
        "value",
        "a host that could not reset its runspace; why is not to be seen in what was asked",
        "test_psrp_reset_runspace_state_fail",
    ),
)

NOT_REPLAYED = {
    "test_psrp_get_command_metadata": "metadata of commands (implicit remoting) is not simulated: the lab says so",
    "test_psrp_key_exchange_timeout": "the answer without a key was made by hand, for a test of pypsrp's time-out",
    "test_winrs_operation_timeout": "the lab answers its few command lines at once: none of them takes time",
}
JOINED = {"test_psrp_disconnect_runspaces": 2}
"""Exchanges that bring with two Receives what all other hosts bring with one: that host was two seconds slower."""


def refused(recording: str, differences: tuple[Difference, ...]) -> list[Difference]:
    """The differences for which nothing stands above."""
    return [one for one in differences if not any(allowed.covers(recording, one) for allowed in ALLOWED)]
