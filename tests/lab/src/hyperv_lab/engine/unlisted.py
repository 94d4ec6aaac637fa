# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of Windows PowerShell 5.1 that the lab knows by name only: not simulated is not the same as unknown."""

from __future__ import annotations

# Verbs with the nouns that each has in Microsoft.PowerShell.* and the modules of every Windows Server.
NOUNS = {
    "Add": "Computer Content Member Type PSSnapin",
    "Clear": "Content EventLog History Item ItemProperty RecycleBin",
    "Compare": "Object",
    "Complete": "Transaction",
    "Connect": "PSSession WSMan",
    "Convert": "Path String",
    "ConvertFrom": "Csv Json SecureString String StringData",
    "ConvertTo": "Csv Html Json SecureString Xml",
    "Copy": "Item ItemProperty",
    "Debug": "Job Process Runspace",
    "Disable": "ComputerRestore PSBreakpoint PSRemoting PSSessionConfiguration WSManCredSSP",
    "Disconnect": "PSSession WSMan",
    "Enable": "ComputerRestore PSBreakpoint PSRemoting PSSessionConfiguration WSManCredSSP",
    "Enter": "PSHostProcess PSSession",
    "Exit": "PSHostProcess PSSession",
    "Export": "Alias Clixml Counter Csv FormatData ModuleMember PSSession Certificate PfxCertificate",
    "ForEach": "Object",
    "Format": "Custom List SecureBootUEFI Table Wide",
    "Get": (
        "Acl Alias AuthenticodeSignature ChildItem Clipboard CmsMessage Command ComputerInfo ComputerRestorePoint"
        " Content ControlPanelItem Counter Credential Culture Date Disk Event EventLog EventSubscriber ExecutionPolicy"
        " FileHash FormatData Help History Host HotFix Item ItemProperty ItemPropertyValue Job Location Member"
        " Module NetAdapter NetIPAddress NetTCPConnection Partition PfxCertificate Process PSBreakpoint PSCallStack"
        " PSDrive PSHostProcessInfo PSProvider PSReadLineOption PSSession PSSessionCapability PSSessionConfiguration"
        " PSSnapin Random Runspace RunspaceDebug SecureBootUEFI Service SmbConnection SmbShare TimeZone TraceSource"
        " Transaction TypeData UICulture Unique Variable Verb Volume WindowsFeature WinEvent WmiObject WSManCredSSP"
        " WSManInstance"
    ),
    "Group": "Object",
    "Import": "Alias Clixml Counter Csv LocalizedData Module PSSession Certificate PfxCertificate",
    "Invoke": "CimMethod Command Expression History Item RestMethod WebRequest WmiMethod WSManAction",
    "Join": "Path",
    "Limit": "EventLog",
    "Measure": "Command Object",
    "Move": "Item ItemProperty",
    "New": (
        "Alias CimInstance CimSession Event EventLog FileCatalog Guid Item ItemProperty Module ModuleManifest Object"
        " PSDrive PSRoleCapabilityFile PSSession PSSessionConfigurationFile PSSessionOption PSTransportOption"
        " SelfSignedCertificate Service SmbShare TemporaryFile TimeSpan Variable WebServiceProxy WinEvent WSManInstance"
    ),
    "Out": "Default File GridView Host Null Printer String",
    "Pop": "Location",
    "Push": "Location",
    "Read": "Host",
    "Receive": "Job PSSession",
    "Register": "ArgumentCompleter CimIndicationEvent EngineEvent ObjectEvent PSSessionConfiguration WmiEvent",
    "Remove": (
        "CimInstance CimSession Computer Event EventLog Item ItemProperty Job Module PSBreakpoint PSDrive PSSession"
        " PSSnapin SmbShare TypeData Variable WmiObject WSManInstance"
    ),
    "Rename": "Computer Item ItemProperty",
    "Reset": "ComputerMachinePassword",
    "Resolve": "DnsName Path",
    "Restart": "Computer Service",
    "Restore": "Computer",
    "Resume": "Job Service",
    "Save": "Help",
    "Select": "Object String Xml",
    "Send": "MailMessage",
    "Set": (
        "Acl Alias AuthenticodeSignature CimInstance Clipboard Content Date ExecutionPolicy Item ItemProperty Location"
        " PSBreakpoint PSDebug PSSessionConfiguration Service StrictMode TimeZone TraceSource Variable WmiInstance"
        " WSManInstance WSManQuickConfig"
    ),
    "Show": "Command ControlPanelItem EventLog",
    "Sort": "Object",
    "Split": "Path",
    "Start": "BitsTransfer Job Process Service Sleep Transaction Transcript",
    "Stop": "Computer Job Process Service Transcript",
    "Suspend": "Job Service",
    "Tee": "Object",
    "Test": (
        "ComputerSecureChannel Connection FileCatalog ModuleManifest NetConnection Path PSSessionConfigurationFile"
        " WSMan"
    ),
    "Trace": "Command",
    "Unblock": "File",
    "Undo": "Transaction",
    "Unregister": "Event PSSessionConfiguration",
    "Update": "FormatData Help List TypeData",
    "Use": "Transaction",
    "Wait": "Debugger Event Job Process",
    "Where": "Object",
    "Write": "Debug Error EventLog Host Information Output Progress Verbose Warning",
}
UNLISTED = frozenset(f"{verb}-{noun}".lower() for verb, nouns in NOUNS.items() for noun in nouns.split())


def is_unlisted(name: str) -> bool:
    """Whether real hosts have a command of this name, which may be written with its module."""
    return name.rpartition("\\")[2].lower() in UNLISTED
