"""Certificates of a test's own authority, made by the ``openssl`` command."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.redis_servers import Tls

_AUTHORITY = """
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""
#: What every leaf needs beside its names; since Python 3.13 the absence of any is an error.
_LEAF = """
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
authorityKeyIdentifier = keyid
subjectKeyIdentifier = hash
subjectAltName = {names}
"""


def _openssl(*arguments: str | Path) -> None:
    binary = shutil.which("openssl")
    if binary is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have the openssl command")
        pytest.skip("no openssl command is installed")
    subprocess.run([binary, *map(str, arguments)], check=True, capture_output=True)


class Authority:
    """Signs certificates that are valid for a day.

    Attributes:
        cert: Its own certificate, which whoever trusts it needs.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self.cert, self._key = directory / "ca.pem", directory / "ca.key"
        config = directory / "ca.cnf"
        config.write_text(f"[req]\ndistinguished_name = name\n[name]\n{_AUTHORITY}")
        _openssl(
            "req",
            "-x509",
            "-days",
            "1",
            "-subj",
            "/CN=Tests",
            "-config",
            config,
            "-extensions",
            "ca",
            *_NEW_KEY,
            "-keyout",
            self._key,
            "-out",
            self.cert,
        )

    def issue(self, name: str, *, names: str = "IP:127.0.0.1,DNS:localhost") -> Tls:
        """Return a certificate for ``names`` (of OpenSSL's ``subjectAltName``), with its key."""
        cert, key = self._directory / f"{name}.pem", self._directory / f"{name}.key"
        request, config = self._directory / f"{name}.csr", self._directory / f"{name}.cnf"
        config.write_text(_LEAF.format(names=names))
        _openssl("req", "-subj", f"/CN={name}", *_NEW_KEY, "-keyout", key, "-out", request)
        _openssl(
            "x509",
            "-req",
            "-days",
            "1",
            "-in",
            request,
            "-CA",
            self.cert,
            "-CAkey",
            self._key,
            "-CAcreateserial",
            "-extfile",
            config,
            "-extensions",
            "leaf",
            "-out",
            cert,
        )
        return Tls(self.cert, cert, key)


#: Quick to make, and taken everywhere.
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
