# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sentences of a host in its language. Ids and codes are the same everywhere; only people read these."""

from __future__ import annotations

ENGLISH = {
    "operating_normally": "Operating normally",
    "merging_disks": "Merging disks",
    "not_found_name": 'Hyper-V was unable to find a virtual machine with name "{name}".',
    "not_found_id": 'Hyper-V was unable to find a virtual machine with id "{name}".',
    "switch_not_found": 'Hyper-V was unable to find a virtual switch with name "{name}".',
    "checkpoint_not_found": 'Hyper-V was unable to find a checkpoint with name "{name}".',
    "adapter_not_found": 'Hyper-V was unable to find a network adapter with name "{name}".',
    "no_permission": "You do not have the required permission to complete this task. "
    "Contact the administrator of the authorization policy for the computer '{host}'.",
    "no_service": "Hyper-V encountered an error trying to access an object on computer '{host}' because the object was "
    "not found. The object might have been deleted, or you might not have permission to perform the task. Verify that "
    "the Virtual Machine Management service on the computer is running. If the service is running, try to perform the "
    "task again by using Run as Administrator.",
    "modify_failed": "Modifying the properties of '{vm}' failed.",
    "wrong_state": "The operation cannot be performed while the object is in its current state.",
    "state_failed": "'{vm}' failed to change state.",
    "remove_failed": "The virtual machine '{vm}' could not be removed.",
    "new_vm_failed": "Failed to create the virtual machine '{vm}'.",
    "new_vhd_failed": "Failed to create the virtual hard disk.",
    "ask_shut_down": "Hyper-V cannot shut down virtual machine {vm} because it is in use. Shut it down anyway?",
    "checkpoint_failed": "Checkpoint operation failed for '{vm}'.",
    "invalid_parameter": "The operation received a parameter that was not valid.",
    "file_not_found": "The operation failed because the file was not found.",
    "already_in_state": "The virtual machine is already in the specified state.",
    "ask_remove": 'Are you sure you want to remove virtual machine "{vm}"?',
    "export_failed": "An error occurred while attempting to export the virtual machine.",
    "export_failed_vm": "{vm} failed to export.",
    "export_copy_failed": "Failed to copy file during export.",
    "copy_failed": "Failed to copy file from '{source}' to '{target}': {why}",
    "folder_failed": "Failed to create folder '{target}': {why}",
    "import_failed": "Import failed.",
    "import_copy_failed": "Failed to copy file during import.",
    "import_configuration": "Unable to import virtual machine due to configuration errors.  "
    "Please use Compare-VM to repair the virtual machine.",
    "import_newer": "Hyper-V did not find virtual machines to import from the location '{folder}'. "
    "The operation failed with error code '32784'.",
    "import_unreadable": "The virtual machine configuration could not be read. The data might be damaged. (0x80070057)",
    "same_id": "The operation failed because a virtual machine with the same identifier already exists. "
    "Select a new identifier and try the operation again.",
    "no_switch": "Could not find Ethernet switch '{switch}'.",
    "no_device": "The device at '{path}' could not be opened.",
    "not_compatible": "The virtual machine '{vm}' is not compatible with physical computer '{host}'.",
    "vtpm": "The key protector for the virtual machine '{vm}' could not be unwrapped. "
    "Details are included in the HostGuardianService-Client event log.",
    "vtpm_device": "The version of the device 'Microsoft Virtual TPM Device' of the virtual machine '{vm}' is not "
    "compatible with device on physical computer '{host}'.",
    "version": "The virtual machine '{vm}' has configuration version {version}, which is not supported on physical "
    "computer '{host}'.",
    "attachment": "'{vm}': Attachment '{path}' failed to open because of error: '{why}'",
    "pass_through": "The virtual machine '{vm}' is using a physical disk, which cannot be moved.",
    "move_failed_source": "Virtual machine migration operation for '{vm}' failed at migration source '{host}'. "
    "(Virtual machine ID {id})",
    "move_failed_destination": "Virtual machine migration operation for '{vm}' failed at migration destination "
    "'{host}'. (Virtual machine ID {id})",
    "move_connect": "The Virtual Machine Management Service failed to establish a connection for a Virtual Machine "
    "migration with host '{host}': {why}",
    "move_authenticate": "The Virtual Machine Management Service failed to authenticate the connection for a Virtual "
    "Machine migration at the source host: no suitable credentials available. Make sure the operation is initiated on "
    "the source host of the migration, or the source host is configured to use Kerberos for the authentication of "
    "migration connections and Constrained Delegation is enabled for the host in Active Directory.",
    "move_disabled_source": "The source host is not configured for live migration. Use the Enable-VMMigration cmdlet "
    "to modify the Hyper-V settings on the source host to enable migration.",
    "move_disabled_destination": "The destination host is not configured for live migration. Use the "
    "Enable-VMMigration cmdlet to modify the Hyper-V settings on the destination host to enable migration.",
    "move_limit": "Failed to perform migration on virtual machine '{vm}' because virtual machine migration limit "
    "'{limit}' was reached, please wait for completion of an ongoing migration operation.",
    "move_storage_limit": "Failed to perform migration on virtual machine '{vm}' because storage migration limit "
    "'{limit}' was reached, please wait for completion of an ongoing migration operation.",
    "move_same_host": "The virtual machine '{vm}' is already on the computer '{host}'.",
    "move_no_network": "Failed to perform migration on virtual machine '{vm}': no network that may be used for "
    "migration leads to host '{host}'.",
    "move_storage_local": "The storage of virtual machine '{vm}' is not on a share that the computer '{host}' can "
    "reach. Use the IncludeStorage parameter to move the storage too.",
    "move_planned": "Failed to create Planned Virtual Machine at migration destination: {why}",
    "listener_disabled": "The Virtual Machine Management Service disabled the listener for Virtual Machine migration "
    "connections.",
    "hardware": "The virtual machine cannot be moved to the destination computer. The hardware on the destination "
    "computer is not compatible with the hardware requirements of this virtual machine.",
    "processor_features": "Virtual machine '{vm}' is using processor-specific features not supported on host '{host}'.",
    "no_partition": "'{vm}' failed to create partition: {why}",
    "no_memory": "'{vm}' could not initialize memory: {why}",
    "smb_failed": "The Virtual Machine Management Service failed to set up the SMB connection for a Virtual Machine "
    "migration (0x80042001): {why}",
    "receive_failed": "Failed to receive data for a Virtual Machine migration: {why}",
    "folder_denied": "Failed to create folder '{path}': {why}",
    "register_failed": "Failed to register the configuration of virtual machine '{vm}': {why}",
    "store_denied": "Failed to access configuration store: {why}",
    "no_file_vhd": "Getting the mounted storage instance for the path '{path}' failed.",
    "corrupt_vhd": "The file or directory is corrupted and unreadable.",
    "restore_failed": "Applying checkpoint failed for '{vm}'.",
    "merge_failed": "The checkpoint could not be deleted.",
    "0x80070002": "The system cannot find the file specified.",
    "0x80070003": "The system cannot find the path specified.",
    "0x80070005": "General access denied error",
    "0x80070020": "The process cannot access the file because it is being used by another process.",
    "0x80070050": "The file exists.",
    "0x80070070": "There is not enough space on the disk.",
    "0x80070035": "The network path was not found.",
    "0x800700B7": "Cannot create a file when that file already exists.",
    "0x800700CE": "The filename or extension is too long.",
    "0x8007007B": "The filename, directory name, or volume label syntax is incorrect.",
    "0x800700AA": "The requested resource is in use.",
    "0x800704C7": "The operation was canceled by the user.",
    "0x8007274C": "A connection attempt failed because the connected party did not properly respond after a period of "
    "time, or established connection failed because connected host has failed to respond.",
    "0x8007274D": "No connection could be made because the target machine actively refused it.",
    "0x80072746": "An existing connection was forcibly closed by the remote host.",
    "0x80072AF9": "No such host is known.",
    "0x8009030D": "The credentials supplied to the package were not recognized",
    "0x80071398": "The operation failed because either the specified cluster node is not the owner of the group, or "
    "the node is not a possible owner of the group.",
    "0x8007000D": "The data is invalid.",
    "0x8007000E": "Ran out of memory",
    "0x8007052F": "Logon failure: user account restriction.",
    "0x80070534": "No mapping between account names and security IDs was done.",
    "0x80070569": "Logon failure: the user has not been granted the requested logon type at this computer.",
    "0x800705AA": "Insufficient system resources exist to complete the requested service.",
    "0x8007271D": "An attempt was made to access a socket in a way forbidden by its access permissions.",
    "0x80090322": "The target principal name is incorrect.",
    "0xC0370027": "The operation cannot be performed because the virtual machine has a saved state.",
    "0x80070015": "The device is not ready for use.",
    "0x800705B4": "This operation returned because the timeout period expired.",
    "0x8009030E": "No credentials are available in the security package",
    "0xC03A0005": "The virtual hard disk is corrupted. There are structural inconsistencies in its headers.",
    "0xC03A0014": "A virtual disk support provider for the specified file was not found.",
}

GERMAN = {
    "operating_normally": "Normaler Betrieb",
    "merging_disks": "Datenträger werden zusammengeführt",
    "not_found_name": 'Hyper-V konnte keinen virtuellen Computer mit dem Namen "{name}" finden.',
    "not_found_id": 'Hyper-V konnte keinen virtuellen Computer mit der ID "{name}" finden.',
    "switch_not_found": 'Hyper-V konnte keinen virtuellen Switch mit dem Namen "{name}" finden.',
    "no_permission": "Sie verfügen nicht über die erforderliche Berechtigung, um diese Aufgabe auszuführen. Wenden Sie "
    'sich an den Administrator der Autorisierungsrichtlinie für den Computer "{host}".',
    "modify_failed": 'Fehler beim Ändern der Eigenschaften von "{vm}".',
    "wrong_state": "Der Vorgang kann nicht ausgeführt werden, solange sich das Objekt im aktuellen Zustand befindet.",
    "invalid_parameter": "Für den Vorgang wurde ein ungültiger Parameter empfangen.",
    "file_not_found": "Fehler beim Vorgang, da die Datei nicht gefunden wurde.",
    "already_in_state": "Der virtuelle Computer befindet sich bereits im angegebenen Zustand.",
    "export_failed": "Fehler beim Exportieren des virtuellen Computers.",
    "export_copy_failed": "Fehler beim Kopieren einer Datei während des Exports.",
    "copy_failed": 'Fehler beim Kopieren der Datei von "{source}" nach "{target}": {why}',
    "import_configuration": "Der virtuelle Computer kann aufgrund von Konfigurationsfehlern nicht importiert werden. "
    "Verwenden Sie Compare-VM, um den virtuellen Computer zu reparieren.",
    "same_id": "Fehler beim Vorgang, da bereits ein virtueller Computer mit demselben Bezeichner vorhanden ist.",
    "no_switch": 'Der Ethernet-Switch "{switch}" wurde nicht gefunden.',
    "not_compatible": 'Der virtuelle Computer "{vm}" ist nicht mit dem physischen Computer "{host}" kompatibel.',
    "move_failed_source": 'Fehler beim Migrationsvorgang für den virtuellen Computer "{vm}" auf der Migrationsquelle '
    '"{host}". (ID des virtuellen Computers: {id})',
    "move_failed_destination": 'Fehler beim Migrationsvorgang für den virtuellen Computer "{vm}" auf dem '
    'Migrationsziel "{host}". (ID des virtuellen Computers: {id})',
    "move_connect": "Der Verwaltungsdienst für virtuelle Computer konnte keine Verbindung für die Migration eines "
    'virtuellen Computers mit dem Host "{host}" herstellen: {why}',
    "move_authenticate": "Der Verwaltungsdienst für virtuelle Computer konnte die Verbindung für die Migration eines "
    "virtuellen Computers auf dem Quellhost nicht authentifizieren: Es sind keine geeigneten Anmeldeinformationen "
    "verfügbar.",
    "move_limit": 'Fehler bei der Migration des virtuellen Computers "{vm}", da das Migrationslimit "{limit}" erreicht '
    "wurde. Warten Sie, bis ein laufender Migrationsvorgang abgeschlossen ist.",
    "0x80070002": "Das System kann die angegebene Datei nicht finden.",
    "0x80070003": "Das System kann den angegebenen Pfad nicht finden.",
    "0x80070005": "Allgemeiner Zugriffsverweigerungsfehler",
    "0x80070020": "Der Prozess kann nicht auf die Datei zugreifen, da sie von einem anderen Prozess verwendet wird.",
    "0x80070050": "Die Datei ist vorhanden.",
    "0x80070070": "Es steht nicht genug Speicherplatz auf dem Datenträger zur Verfügung.",
    "0x8007007B": "Die Syntax für den Dateinamen, Verzeichnisnamen oder die Datenträgerbezeichnung ist falsch.",
    "0x8009030E": "Im Sicherheitspaket sind keine Anmeldeinformationen verfügbar.",
    "0x8009030D": "Die an das Paket übergebenen Anmeldeinformationen wurden nicht erkannt.",
    "0x80090322": "Der Zielprinzipalname ist falsch.",
    "0x8007271D": "Der Zugriff auf einen Socket war aufgrund der Zugriffsrechte des Sockets unzulässig.",
    "0x8007274C": "Ein Verbindungsversuch ist fehlgeschlagen, da die Gegenstelle nach einer bestimmten Zeitspanne "
    "nicht richtig reagiert hat, oder die Verbindung fehlerhaft war, da der verbundene Host nicht reagiert hat.",
    "0x8007274D": "Es konnte keine Verbindung hergestellt werden, da der Zielcomputer die Verbindung verweigerte.",
    "0x80072746": "Eine vorhandene Verbindung wurde vom Remotehost geschlossen.",
    "0x80072AF9": "Der angegebene Host ist unbekannt.",
    "0x800704C7": "Der Vorgang wurde durch den Benutzer abgebrochen.",
    "0x800705AA": "Nicht genügend Systemressourcen, um den angeforderten Dienst auszuführen.",
    "0x800705B4": "Dieser Vorgang wurde wegen Zeitüberschreitung zurückgegeben.",
    "0x80070534": "Zuordnungen von Kontennamen und Sicherheitskennungen wurden nicht durchgeführt.",
    "0x80070569": "Anmeldung fehlgeschlagen: Der Benutzer besitzt nicht den benötigten Anmeldetyp auf diesem Computer.",
    "0x8007052F": "Anmeldung fehlgeschlagen: Das Benutzerkonto unterliegt Einschränkungen.",
    "0x8007000D": "Die Daten sind unzulässig.",
    "0x8007000E": "Nicht genügend Arbeitsspeicher",
    "0x80071398": "Der angegebene Clusterknoten ist nicht der Besitzer der Gruppe oder kein möglicher Besitzer.",
    "0x800700AA": "Die angeforderte Ressource wird bereits verwendet.",
    "0xC0370027": "Der Vorgang ist nicht möglich, da der virtuelle Computer über einen gespeicherten Zustand verfügt.",
    "0xC03A0014": "Es wurde kein Unterstützungsanbieter für virtuelle Festplatten für die angegebene Datei gefunden.",
    "listener_disabled": "Der Verwaltungsdienst für virtuelle Computer hat den Listener für Migrationsverbindungen "
    "virtueller Computer deaktiviert.",
    "hardware": "Der virtuelle Computer kann nicht auf den Zielcomputer verschoben werden. Die Hardware auf dem "
    "Zielcomputer ist nicht mit den Hardwareanforderungen dieses virtuellen Computers kompatibel.",
    "processor_features": 'Der virtuelle Computer "{vm}" verwendet prozessorspezifische Features, die auf dem Host '
    '"{host}" nicht unterstützt werden.',
    "no_partition": '"{vm}": Fehler beim Erstellen der Partition: {why}',
    "no_memory": '"{vm}": Der Arbeitsspeicher konnte nicht initialisiert werden: {why}',
    "smb_failed": "Der Verwaltungsdienst für virtuelle Computer konnte die SMB-Verbindung für die Migration eines "
    "virtuellen Computers nicht einrichten (0x80042001): {why}",
    "receive_failed": "Fehler beim Empfangen von Daten für die Migration eines virtuellen Computers: {why}",
    "folder_denied": 'Fehler beim Erstellen des Ordners "{path}": {why}',
    "register_failed": 'Fehler beim Registrieren der Konfiguration des virtuellen Computers "{vm}": {why}',
    "store_denied": "Fehler beim Zugriff auf den Konfigurationsspeicher: {why}",
    "export_failed_vm": 'Fehler beim Exportieren von "{vm}".',
    "import_failed": "Fehler beim Importieren.",
    "import_copy_failed": "Fehler beim Kopieren einer Datei während des Imports.",
    "vtpm": 'Die Schlüsselschutzvorrichtung für den virtuellen Computer "{vm}" konnte nicht entpackt werden. Details '
    "sind im Ereignisprotokoll HostGuardianService-Client enthalten.",
    "vtpm_device": 'Die Version des Geräts "Microsoft Virtual TPM Device" des virtuellen Computers "{vm}" ist nicht '
    'mit dem Gerät auf dem physischen Computer "{host}" kompatibel.',
    "version": 'Der virtuelle Computer "{vm}" hat die Konfigurationsversion {version}, die auf dem physischen Computer '
    '"{host}" nicht unterstützt wird.',
    "attachment": '"{vm}": Fehler beim Öffnen der Anlage "{path}": "{why}"',
    "pass_through": 'Der virtuelle Computer "{vm}" verwendet einen physischen Datenträger und kann nicht verschoben '
    "werden.",
    "no_device": 'Das Gerät unter "{path}" konnte nicht geöffnet werden.',
    "folder_failed": 'Fehler beim Erstellen des Ordners "{target}": {why}',
    "move_disabled_source": "Der Quellhost ist nicht für die Livemigration konfiguriert. Verwenden Sie das Cmdlet "
    "Enable-VMMigration, um die Migration zu aktivieren.",
    "move_disabled_destination": "Der Zielhost ist nicht für die Livemigration konfiguriert. Verwenden Sie das Cmdlet "
    "Enable-VMMigration, um die Migration zu aktivieren.",
    "move_storage_limit": 'Fehler bei der Migration des virtuellen Computers "{vm}", da das Speichermigrationslimit '
    '"{limit}" erreicht wurde. Warten Sie, bis ein laufender Migrationsvorgang abgeschlossen ist.',
    "move_same_host": 'Der virtuelle Computer "{vm}" befindet sich bereits auf dem Computer "{host}".',
    "move_no_network": 'Fehler bei der Migration des virtuellen Computers "{vm}": Kein für die Migration zulässiges '
    'Netzwerk führt zum Host "{host}".',
    "move_storage_local": 'Der Speicher des virtuellen Computers "{vm}" liegt nicht auf einer Freigabe, die der '
    'Computer "{host}" erreichen kann.',
    "move_planned": "Fehler beim Erstellen des geplanten virtuellen Computers am Migrationsziel: {why}",
}

LANGUAGES = {"en": ENGLISH, "de": GERMAN}


def say(language: str, key: str, **values: object) -> str:
    """The sentence of ``key``; what a language lacks is said in English, as half-translated hosts do."""
    table = LANGUAGES.get(language.partition("-")[0].lower(), ENGLISH)
    return (table.get(key) or ENGLISH[key]).format(**values)


def say_code(language: str, hresult: int) -> str:
    """Windows' own sentence for a code, followed by the code."""
    key = f"0x{hresult:08X}"
    known = key in ENGLISH
    return f"{say(language, key)} ({key})." if known else f"Unspecified error ({key})."
