# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a session trusts, read once.

Reading the authorities that Python trusts by default costs more CPU than the rest of opening a session, and the HTTP
libraries read them for every connection. Here they are read once per process; a process that is forked has them.
"""

from __future__ import annotations

import functools
import os
import ssl
import typing as t


def share_trust(session: t.Any) -> None:
    """Make a requests session use what was read before. Verification itself stays as it was set.

    Not with a client certificate: it would become part of what all sessions share.
    """
    session.trust_env = False  # proxies and bundles of the environment were taken over when the session was made
    if session.cert is not None:
        return
    bundle = _bundle(session.verify)
    if bundle is None:
        return
    retries = session.get_adapter("https://").max_retries
    session.mount("https://", _adapter_class()(trusted(*bundle), max_retries=retries))


def _bundle(verify: bool | str) -> tuple[str, int] | None:
    """The file with the authorities ("" for none at all) and its age; None for a folder, which is not read at once."""
    if verify is False:
        return "", 0
    path = str(verify) if isinstance(verify, str) else _default_bundle()
    return (path, os.stat(path).st_mtime_ns) if os.path.isfile(path) else None


def _default_bundle() -> str:
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    return str(DEFAULT_CA_BUNDLE_PATH)


@functools.lru_cache(maxsize=8)
def trusted(bundle: str, changed: int) -> ssl.SSLContext:
    """A context that trusts the authorities of a file; with an empty name it verifies nobody."""
    from urllib3.util.ssl_ import create_urllib3_context

    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED if bundle else ssl.CERT_NONE)
    if bundle:
        context.load_verify_locations(bundle)
    return context


def preload_trust() -> None:
    """Read the default authorities now."""
    trusted(*t.cast("tuple[str, int]", _bundle(True)))


@functools.cache
def _adapter_class() -> t.Any:
    from requests.adapters import HTTPAdapter

    class Adapter(HTTPAdapter):
        """Connects with a given context, and keeps the libraries from reading authorities into it again."""

        def __init__(self, context: ssl.SSLContext, **options: t.Any) -> None:
            self._context = context
            super().__init__(**options)

        def init_poolmanager(self, *arguments: t.Any, **options: t.Any) -> None:
            super().init_poolmanager(*arguments, ssl_context=self._context, **options)

        def proxy_manager_for(self, proxy: str, **options: t.Any) -> t.Any:
            return super().proxy_manager_for(proxy, ssl_context=self._context, **options)

        def build_connection_pool_key_attributes(self, *arguments: t.Any, **options: t.Any) -> t.Any:
            host, pool = super().build_connection_pool_key_attributes(*arguments, **options)
            return host, {name: value for name, value in pool.items() if name not in ("ca_certs", "ca_cert_dir")}

        def cert_verify(self, conn: t.Any, url: str, verify: t.Any, cert: t.Any) -> None:
            conn.cert_reqs = "CERT_REQUIRED" if verify else "CERT_NONE"

    return Adapter


__all__ = ["preload_trust", "share_trust", "trusted"]
