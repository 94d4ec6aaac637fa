# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# A module that holds nothing but the role capability: Windows finds it by the module's folder.
@{
    ModuleVersion     = '0.1.0'
    GUID              = '3f6c1f0e-7d0b-4b3a-9a64-0f5d2f7c9e51'
    Author            = 'The fanout.hyperv authors'
    Description       = 'The role capability of the endpoint for the Ansible collection fanout.hyperv'
    PowerShellVersion = '5.1'
    CmdletsToExport   = @()
    FunctionsToExport = @()
    AliasesToExport   = @()
}
