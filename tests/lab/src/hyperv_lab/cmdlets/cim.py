# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-CimInstance for the classes that clients of Hyper-V hosts ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from ..engine.errors import NotSimulated, PSError
from ..engine.registry import Bound, Context, cmdlet
from ..model.directory import may_manage
from ..model.host import Host
from . import cim_system, cim_virtualization
from .cim_class import CimClass
from .hyperv import LOCAL_NAMES, as_list
from .wql import BadQuery, Query, Where, parse_filter, parse_query

CLASSES = {(one.namespace.lower(), one.name.lower()): one for one in (*cim_system.CLASSES, *cim_virtualization.CLASSES)}
NAMESPACES = frozenset(namespace for namespace, _ in CLASSES)
NOT_SIMULATED = cim_system.NOT_SIMULATED | cim_virtualization.NOT_SIMULATED
DEFAULT_NAMESPACE = "root/cimv2"

ACCESS_DENIED = 0x80041003
INVALID_NAMESPACE = 0x8004100E
INVALID_CLASS = 0x80041010
PROVIDER_LOAD_FAILURE = 0x80041013
INVALID_QUERY = 0x80041017
MESSAGES = {
    ACCESS_DENIED: ("Access denied ", "PermissionDenied"),
    INVALID_NAMESPACE: ("Invalid namespace ", "MetadataError"),
    INVALID_CLASS: ("Invalid class ", "MetadataError"),
    PROVIDER_LOAD_FAILURE: ("Provider load failure ", "NotSpecified"),
    INVALID_QUERY: ("Invalid query ", "InvalidArgument"),
}


class CimFailure(Exception):
    """A status of WMI, and on what it was about."""

    def __init__(self, status: int, target: str) -> None:
        super().__init__(MESSAGES[status][0])
        self.status = status
        self.target = target


@cmdlet("Get-CimInstance")
async def get_cim_instance(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    _refuse_unsupported(ctx, args)
    try:
        for instance in _instances(ctx, args):
            yield instance
    except CimFailure as failure:
        ctx.write_error(_record(ctx, failure))


def _refuse_unsupported(ctx: Context, args: Bound) -> None:
    for name in ("CimSession", "ResourceUri", "InputObject"):
        if name in args:
            raise NotSimulated(f"{ctx.command} -{name}")
    host: Host = ctx.host
    own = (*LOCAL_NAMES, host.name.lower(), host.computer_name.lower(), host.dns_name.lower())
    for name in as_list(args.get("ComputerName")):
        if str(name).lower() not in own:
            raise NotSimulated(f"{ctx.command} -ComputerName {name}")


def _record(ctx: Context, failure: CimFailure) -> PSError:
    message, category = MESSAGES[failure.status]
    return PSError(
        message,
        f"HRESULT 0x{failure.status:08x},{ctx.table.class_name}",
        category,
        "Microsoft.Management.Infrastructure.CimException",
        target=failure.target,
        hresult=failure.status - 2**32,
    )


def _normal(namespace: str) -> str:
    return namespace.replace("/", "\\").removeprefix("\\\\.\\").strip("\\").lower()


def _instances(ctx: Context, args: Bound) -> list[Any]:
    host: Host = ctx.host
    given = args.get("Namespace") or DEFAULT_NAMESPACE
    namespace = _normal(given)
    query = _query(args, given)
    found = _class(namespace, query.class_name, f"{given}:{query.class_name}".replace("/", "\\"))
    _check_access(ctx, namespace, found)
    shown = _shown(args, query, found)
    try:
        _check_properties(found, query.where)
        rows = [row for row in found.rows(host) if query.where.matches(_whole(found, row))]
    except BadQuery as error:
        raise CimFailure(INVALID_QUERY, f"{found.namespace}:{found.name}") from error
    return [found.instance(row, shown) for row in rows]


def _query(args: Bound, namespace: str) -> Query:
    try:
        if "Query" in args:
            return parse_query(args["Query"])
        where = parse_filter(args["Filter"]) if args.get("Filter") else Where()
    except BadQuery as error:
        raise CimFailure(INVALID_QUERY, str(args.get("ClassName") or namespace)) from error
    return Query(args["ClassName"], None, where)


def _class(namespace: str, name: str, target: str) -> CimClass:
    if namespace not in NAMESPACES:
        raise CimFailure(INVALID_NAMESPACE, target)
    found = CLASSES.get((namespace, name.lower()))
    if found is None and name.lower() in NOT_SIMULATED:
        raise NotSimulated(f"Get-CimInstance {name}")
    if found is None:
        raise CimFailure(INVALID_CLASS, target)
    return found


def _check_access(ctx: Context, namespace: str, found: CimClass) -> None:
    if namespace != _normal(cim_virtualization.V2):
        return
    target = f"{found.namespace}:{found.name}"
    if not may_manage(ctx.session.caller):
        raise CimFailure(ACCESS_DENIED, target)
    if not ctx.host.service_running:
        raise CimFailure(PROVIDER_LOAD_FAILURE, target)


def _shown(args: Bound, query: Query, found: CimClass) -> frozenset[str] | None:
    """The properties asked for, in lower case, always with the keys; None for all."""
    keys = {name.lower() for name in found.keys}
    if args.switch("KeyOnly"):
        return frozenset(keys)
    names = [str(name) for name in as_list(args.get("Property"))] or list(query.properties or ())
    if not names or "*" in names:
        return None
    known = {name.lower() for name in found.properties}
    if any(name.lower() not in known for name in names):
        raise CimFailure(INVALID_QUERY, f"{found.namespace}:{found.name}")
    return frozenset(name.lower() for name in names) | keys


def _whole(found: CimClass, row: Any) -> dict[str, Any]:
    return {name: row.get(name) for name in found.properties}


def _check_properties(found: CimClass, where: Where) -> None:
    """A query that names a property which the class lacks is invalid also where there are no instances."""
    unknown = where.names - {name.lower() for name in found.properties}
    if unknown:
        raise BadQuery(sorted(unknown)[0])
