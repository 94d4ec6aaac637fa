# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority for one run of the lab, and a certificate for each of its hosts."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .transport.endpoint import Identity

VALID = datetime.timedelta(days=365)
SLACK = datetime.timedelta(days=1)
UPN = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")  # by which Windows maps a certificate to a user


@dataclass(frozen=True)
class ClientCertificate:
    certificate: Path
    key: Path
    der: bytes


class Authority:
    """Elliptic keys, and one key for all hosts: three hundred hosts shall start in a moment."""

    def __init__(self, folder: Path, ca: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._now = datetime.datetime.now(datetime.timezone.utc)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._host_key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hyperv_lab CA of this run")])
        self._key_id = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        self._host_pem = _private_pem(self._host_key)
        self.path = ca
        self.path.write_bytes(self._certificate().public_bytes(serialization.Encoding.PEM))

    def identity(self, name: str, dns_name: str, address: str, *, asks: bool = False) -> Identity:
        """A host's. ``asks``: it takes clients' certificates, too, if this authority has signed them."""
        certificate = self._host_certificate(name, dns_name, address)
        path = self._folder / f"{name.lower()}.pem"
        _write(path, certificate.public_bytes(serialization.Encoding.PEM) + self._host_pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        if asks:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(self.path)
        return Identity(context, hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).digest())

    def client(self, name: str, folder: Path) -> ClientCertificate:
        """A certificate with which a client says that it is the local user of that name, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        upn = x509.OtherName(UPN, b"\x0c" + _der_length(f"{name}@localhost".encode()))
        certificate = (
            self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key)
            .add_extension(x509.SubjectAlternativeName([upn]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(sign_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        pem, key_pem = folder / f"{name.lower()}.pem", folder / f"{name.lower()}.key"
        _write(pem, certificate.public_bytes(serialization.Encoding.PEM))
        _write(key_pem, _private_pem(key))
        return ClientCertificate(pem, key_pem, certificate.public_bytes(serialization.Encoding.DER))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - SLACK)
            .not_valid_after(self._now + VALID)
        )

    def _certificate(self) -> x509.Certificate:
        return (
            self._builder(self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(sign_certificates=True), critical=True)
            .add_extension(self._key_id, critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _host_certificate(self, name: str, dns_name: str, address: str) -> x509.Certificate:
        names: list[x509.GeneralName] = [x509.DNSName(text) for text in (dns_name, name, "localhost")]
        names.append(x509.IPAddress(ipaddress.ip_address(address)))
        authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(self._key_id)
        return (
            self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, dns_name)]), self._host_key)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(sign_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(authority, critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _der_length(text: bytes) -> bytes:
    """A short string behind its length."""
    if len(text) > 127:
        raise ValueError("a name that long is not foreseen")
    return bytes([len(text)]) + text


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )
