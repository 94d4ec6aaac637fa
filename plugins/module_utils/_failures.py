# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known failures: how to recognise them, why they happen, and what an operator does about them.

Hosts speak their own language, so nothing is recognised by its text. What decides is, in this order: an HRESULT in the
message (they are not translated), the identifier of the error, its category. An HRESULT may mean something else for
another verb; the verb is the first word of the cmdlet that failed.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import ErrorRecord


class Explanation(t.NamedTuple):
    """What a failure is called, why it happens, what to do, and whether waiting alone may help."""

    code: str
    cause: str | None = None
    remedy: str | None = None
    transient: bool = False


DELEGATION = (
    "In Active Directory, let the source's computer account delegate to 'cifs' and 'Microsoft Virtual System Migration "
    "Service' of the target (short name and FQDN) with 'Use any authentication protocol', in both directions; set "
    "'Set-VMHost -VirtualMachineMigrationAuthenticationType Kerberos' on both hosts; then run 'klist purge -li 0x3e7' "
    "on the source or wait 15 minutes. Where both hosts' type is CredSSP, connect to the source with credssp instead "
    "(not on Server 2025, whose Credential Guard prevents it)."
)
_NO_RIGHT = (
    "Put the user into Administrators or Hyper-V Administrators on both hosts and compare the folder's permissions "
    "with those of a host that works."
)
_MIGRATION_PORT = (
    "On the target check 'Get-VMHost | Format-List *Migration*' and 'netstat -ano | findstr :6600'; open TCP 6600 "
    "(and 445 for SMB) between the hosts and exclude Hyper-V from anti-virus scanning. If the listener is off although "
    "migration is enabled, 'C:\\Windows\\System32\\GroupPolicy\\Machine\\Registry.pol' may be damaged (it must begin "
    "with 'PReg')."
)
_SERVICE_LOGON = (
    "Give 'NT VIRTUAL MACHINE\\Virtual Machines' the right 'Log on as a service' in the group policy that took it "
    "away, then run 'gpupdate /force' on the host."
)

_HRESULTS: dict[str, dict[str, Explanation]] = {
    "0x8009030E": {
        "": Explanation(
            "NO_DELEGATION", "The session's credentials cannot be used for a second hop to the other host.", DELEGATION
        )
    },
    "0x8009030D": {
        "": Explanation(
            "NO_DELEGATION", "The other host did not recognise the credentials of the second hop.", DELEGATION
        )
    },
    "0x80090322": {
        "": Explanation(
            "WRONG_PRINCIPAL",
            "The other host's service principal name does not fit its name or address.",
            "Check 'setspn -L <host>' for 'Microsoft Virtual System Migration Service' entries, the DNS entries of "
            "both hosts and the order of the migration networks ('Get-VMMigrationNetwork').",
        )
    },
    "0x80070005": {
        "": Explanation("ACCESS_DENIED", "A right on a host or on a folder is missing.", _NO_RIGHT),
        "Move": Explanation(
            "ACCESS_DENIED",
            "The user or the source's computer account may not do this on the other host.",
            f"{_NO_RIGHT} If it works when signed in at the source: {DELEGATION}",
        ),
        "Export": Explanation(
            "ACCESS_DENIED",
            "Export writes as the host's computer account, not as the user.",
            "Give the computer account (HOST$) the right to change the folder and, for a share, the share as well.",
        ),
        "Import": Explanation(
            "ACCESS_DENIED",
            "Hyper-V may not write its configuration or disks where they should go.",
            "Use another folder or give SYSTEM and the computer account (HOST$) full control of it.",
        ),
    },
    "0x80070569": {
        "": Explanation("SERVICE_LOGON_RIGHT", "A group policy took a right from the virtual machines.", _SERVICE_LOGON)
    },
    "0x8007052F": {
        "": Explanation(
            "SERVICE_LOGON_RIGHT", "A group policy restricts the virtual machines' account.", _SERVICE_LOGON
        )
    },
    "0x80070534": {
        "": Explanation(
            "UNKNOWN_CREATOR",
            "The account that made the virtual machine no longer exists.",
            "Export the virtual machine and import it again under an account of the domain; update the host.",
        )
    },
    "0x8007274C": {"": Explanation("MIGRATION_NETWORK", "The other host did not answer.", _MIGRATION_PORT, True)},
    "0x8007274D": {
        "": Explanation("MIGRATION_NETWORK", "The other host refused the connection.", _MIGRATION_PORT, True)
    },
    "0x80072746": {"": Explanation("MIGRATION_NETWORK", "The other host cut the connection.", _MIGRATION_PORT, True)},
    "0x8007271D": {"": Explanation("MIGRATION_NETWORK", "A firewall forbade the connection.", _MIGRATION_PORT)},
    "0x800705B4": {"": Explanation("MIGRATION_NETWORK", "The other host stopped sending.", _MIGRATION_PORT, True)},
    "0x80071398": {
        "": Explanation(
            "CLUSTERED",
            "The virtual machine belongs to a cluster.",
            "Take it out of the cluster first: clusters move their own.",
        )
    },
    "0x800700AA": {
        "": Explanation(
            "BUSY", "The virtual machine is being migrated or backed up already.", "Wait until that has ended.", True
        )
    },
    "0xC0370027": {
        "": Explanation(
            "NOT_OFF",
            "The virtual machine is running or has a saved state.",
            "Shut it down or remove the saved state ('Remove-VMSavedState').",
        )
    },
    "0x800705AA": {
        "": Explanation(
            "NO_RESOURCES",
            "The host is short of memory or of another resource.",
            "Free memory on the host, then try again.",
        )
    },
    "0x8007000E": {
        "": Explanation("NO_RESOURCES", "The host is short of memory.", "Free memory on the host, then try again.")
    },
    "0xC03A0014": {
        "": Explanation(
            "ATTACHMENT_MISSING",
            "A disk or ISO image of the virtual machine cannot be opened on this host.",
            "Eject ISO images ('Get-VMDvdDrive ... | Set-VMDvdDrive -Path $null') and check the disks' paths.",
        )
    },
    "0x80070002": {
        "": Explanation("FILE_NOT_FOUND", "A file is not there.", "Check the path that the message names."),
        "Export": Explanation(
            "FILE_NOT_FOUND",
            "A disk of the virtual machine is missing.",
            "Check 'Get-VMHardDiskDrive' of the virtual machine and repair it before it is exported.",
        ),
    },
    "0x80070003": {
        "": Explanation(
            "PATH_NOT_FOUND", "A folder or drive is not there.", "Create it on the host, or name another path."
        )
    },
    "0x80070050": {
        "": Explanation(
            "FILE_EXISTS",
            "A file of that name is there already: leftovers, or two disks of one virtual machine with one file name.",
            "Look at the folder that the message names. Disks of one virtual machine must have different file names.",
        )
    },
    "0x80070070": {
        "": Explanation(
            "DISK_FULL",
            "The volume has no room left.",
            "Free space on the volume that the message names, then run again.",
        )
    },
    "0x80070020": {
        "": Explanation(
            "FILE_IN_USE",
            "Another program holds the file: a running virtual machine, a backup or anti-virus software.",
            "Wait, and exclude the folder from scanning.",
            True,
        )
    },
    "0x80070057": {
        "": Explanation("INVALID_ARGUMENT", "The host did not accept a value.", None),
        "Import": Explanation(
            "BROKEN_EXPORT", "The export's configuration is damaged or foreign.", "Remove the export; it is made anew."
        ),
    },
    "0x8007000D": {
        "": Explanation(
            "INVALID_DATA",
            "A file or setting of the host is not what Windows expects.",
            "On Server 2019 with SMB migration: the registry's ComputerName must be in capital letters.",
        )
    },
}

_NOT_FOUND = Explanation(
    "OBJECT_NOT_FOUND",
    "It is not there, the user may not see it, or the Virtual Machine Management service is not running.",
    "Check 'Get-Service vmms' and that the user is in Hyper-V Administrators.",
)
_MODULE = Explanation(
    "CMDLET_MISSING",
    "The cmdlet does not exist for this session.",
    "Install the PowerShell module ('Install-WindowsFeature Hyper-V-PowerShell'). On a JEA endpoint, make the cmdlets "
    "of this collection's role capability visible.",
)
_BINDING = Explanation(
    "CMDLET_DIFFERS",
    "The host's version of the cmdlet does not know this parameter or value.",
    "Check that the host runs Windows Server 2016 or newer with its own Hyper-V module.",
)

_IDENTIFIERS: dict[str, Explanation] = {
    "ObjectNotFound": _NOT_FOUND,
    "AccessDenied": Explanation("ACCESS_DENIED", "The user has no right to do this on the host.", _NO_RIGHT),
    "InvalidState": Explanation(
        "INVALID_STATE",
        "The virtual machine is not in a state in which this can be done.",
        "Check 'Get-VM' for its state and status: it must be off, and not be backed up or migrated.",
        True,
    ),
    "CommandNotFoundException": _MODULE,
    "CommandNotVisible": _MODULE,
    "NamedParameterNotFound": _BINDING,
    "CannotConvertArgumentNoMessage": _BINDING,
    "ParameterArgumentTransformationError": _BINDING,
    "AmbiguousParameterSet": _BINDING,
    "ParameterArgumentValidationError": _BINDING,
    "PathNotFound": Explanation("PATH_NOT_FOUND", "A file or folder is not there.", "Check the path in the message."),
    "ItemNotFound": Explanation("PATH_NOT_FOUND", "A file or folder is not there.", "Check the path in the message."),
    "DriveNotFound": Explanation("PATH_NOT_FOUND", "The drive is not there.", "Name a drive that the host has."),
    "DirectoryExist": Explanation("FILE_EXISTS", "The folder is there already."),
    "ScriptsNotAllowed": _MODULE,
}

_CATEGORIES: dict[str, Explanation] = {
    "PermissionDenied": Explanation("ACCESS_DENIED", "The user has no right to do this on the host.", _NO_RIGHT),
    "SecurityError": Explanation("ACCESS_DENIED", "The user has no right to do this on the host.", _NO_RIGHT),
    "ObjectNotFound": _NOT_FOUND,
    "ResourceBusy": Explanation("BUSY", "It is in use at the moment.", "Wait until that has ended.", True),
    "ResourceExists": Explanation("ALREADY_EXISTS", "It is there already."),
    "QuotaExceeded": Explanation("QUOTA", "A limit of the host is reached.", "Wait until other work has ended.", True),
    "LimitsExceeded": Explanation("QUOTA", "A limit of the host is reached.", "Wait until other work has ended.", True),
}

UNKNOWN = Explanation(
    "COMMAND_FAILED",
    remedy="Look at the event log of the host (Get-WinEvent Microsoft-Windows-Hyper-V-VMMS-Admin -MaxEvents 20), "
    "mend what it names, then run again.",
)


def explain(records: t.Sequence[ErrorRecord]) -> Explanation:
    """What the host's errors mean. The most certain sign of all records decides."""
    for find in (_by_hresult, _by_identifier, _by_category):
        for record in records:
            found = find(record)
            if found is not None:
                return found
    return UNKNOWN


def _by_hresult(record: ErrorRecord) -> Explanation | None:
    for code in record.hresults:
        meanings = _HRESULTS.get(code)
        if meanings is not None:
            return meanings.get((record.command or "").partition("-")[0], meanings[""])
    return None


def _by_identifier(record: ErrorRecord) -> Explanation | None:
    return _IDENTIFIERS.get(record.identifier)


def _by_category(record: ErrorRecord) -> Explanation | None:
    return _CATEGORIES.get(record.category)


# -- reaching a host --------------------------------------------------------------------------------------------------

NO_SUCH_SHELL = 0x8033805B  # also: no such command in the shell
NOTHING_YET = 0x80338029  # the time for which an answer may be held back is over

_QUOTA = Explanation(
    "QUOTA",
    "The user or the host has too many remote shells or commands open.",
    "Wait until others have ended, or raise the limits: 'winrm set winrm/config/winrs @{MaxShellsPerUser=\"100\"}'.",
    True,
)

_ENDPOINT = Explanation(
    "NO_SUCH_ENDPOINT",
    "The host has no PowerShell endpoint of that name.",
    "Check configuration_name against 'Get-PSSessionConfiguration', or run 'Enable-PSRemoting' on the host.",
)

_FAULTS: dict[int, Explanation] = {
    5: Explanation(
        "ACCESS_DENIED",
        "The user is known but may not open a remote session.",
        "Put the user into Administrators, or into Remote Management Users and Hyper-V Administrators, or name the JEA "
        "endpoint that is made for this in configuration_name.",
    ),
    NO_SUCH_SHELL: Explanation(
        "SHELL_GONE", "The remote session is no longer there: WinRM or the host was restarted.", "Run again.", True
    ),
    # Too many shells, operations or users; of this user, of the host, of the endpoint.
    **dict.fromkeys(
        (0x803381A5, 0x803381A6, 0x803381A7, 0x803381A8, 0x803381AB, *range(0x803381E4, 0x803381EB)), _QUOTA
    ),
    **dict.fromkeys((0x80338000, 0x80338002, 0x8033803B), _ENDPOINT),
    0x803381AC: Explanation(
        "SHELLS_FORBIDDEN",
        "The host does not allow remote shells.",
        "Set 'winrm set winrm/config/winrs @{AllowRemoteShellAccess=\"true\"}' or the group policy of that name.",
    ),
    NOTHING_YET: Explanation("NO_ANSWER", "The host did not answer in time.", "Check the load of the host.", True),
}


def explain_fault(code: object) -> Explanation:
    """What a fault of the host's WinRM service means."""
    found = _FAULTS.get(code) if isinstance(code, int) else None
    return found or Explanation(
        "WSMAN_FAULT", "The host's WinRM service refused the request.", "Check 'winrm get winrm/config' on the host."
    )


TRANSPORT: dict[str, Explanation] = {
    "NAME_NOT_RESOLVED": Explanation(
        "NAME_NOT_RESOLVED",
        "The name of the host is not known to DNS.",
        "Check ansible_host and the resolver of the control node.",
    ),
    "CONNECTION_REFUSED": Explanation(
        "CONNECTION_REFUSED",
        "Nothing listens on that port.",
        "Check that the host is up, that 'winrm enumerate winrm/config/listener' shows a listener for the port, and "
        "the firewall. HTTPS is 5986, HTTP is 5985.",
        True,
    ),
    "NO_ANSWER": Explanation(
        "NO_ANSWER",
        "The host is down, too busy to answer, or a firewall drops the connection.",
        "Check that the host is up and that its WinRM port can be reached from the control node.",
        True,
    ),
    "CONNECTION_BROKEN": Explanation(
        "CONNECTION_BROKEN",
        "The connection broke before an answer came.",
        "Check the network and the WinRM service of the host ('Restart-Service WinRM').",
        True,
    ),
    "CERTIFICATE_NOT_TRUSTED": Explanation(
        "CERTIFICATE_NOT_TRUSTED",
        "The host's certificate is not signed by anybody whom the control node trusts, or has expired.",
        "Set ca_cert (ansible_psrp_ca_cert) to the certificate of the authority that signed it.",
    ),
    "CERTIFICATE_WRONG_NAME": Explanation(
        "CERTIFICATE_WRONG_NAME",
        "The host's certificate is made out to another name.",
        "Connect by the name in the certificate (ansible_host), or give the host a certificate with this name.",
    ),
    "TLS_FAILED": Explanation(
        "TLS_FAILED",
        "The two sides did not agree on TLS, or the port does not speak it.",
        "Check port and protocol (HTTPS is 5986, HTTP is 5985) and that the host supports TLS 1.2.",
    ),
    "PROXY_FAILED": Explanation(
        "PROXY_FAILED",
        "The proxy did not let the connection through.",
        "Set ignore_proxy (ansible_psrp_ignore_proxy) if the host is to be reached directly.",
    ),
    "HTTP_ERROR": Explanation(
        "HTTP_ERROR",
        "The host's web service, or a proxy on the way, could not handle the request.",
        "Check the load and the WinRM service of the host ('Restart-Service WinRM').",
        True,
    ),
    "NOT_WINRM": Explanation(
        "NOT_WINRM",
        "Something answered that is not WinRM.",
        "Check address, port and path (WinRM's path is 'wsman').",
    ),
    "BAD_CREDENTIALS": Explanation(
        "BAD_CREDENTIALS",
        "User and password were not accepted, or this way of authenticating is not allowed on the host.",
        "Check ansible_user and ansible_password, that the account is not locked, and 'winrm get "
        "winrm/config/service/auth' on the host. Local users need negotiate, ntlm or basic; "
        "domain users are written user@DOMAIN or DOMAIN\\user.",
    ),
    "KERBEROS_FAILED": Explanation(
        "KERBEROS_FAILED",
        "Kerberos gave no ticket for the host.",
        "Check 'kinit user@REALM' and 'klist' on the control node, its clock and /etc/krb5.conf. Connect by the host's "
        "DNS name or set negotiate_hostname_override; try negotiate_service HTTP, WSMAN or host.",
    ),
}


__all__ = [
    "DELEGATION",
    "NOTHING_YET",
    "NO_SUCH_SHELL",
    "TRANSPORT",
    "UNKNOWN",
    "Explanation",
    "explain",
    "explain_fault",
]
