"""A server of the S3 protocol on loopback: moto's, in a process of its own."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import httpx
import pytest

from app.cli.remote.addresses import free_ports
from tests.conftest import wait_until

#: An environment of its own, by scripts/tools/s3.txt.
SERVER_PYTHON = Path(__file__).parents[2] / ".servers" / "s3" / "bin" / "python"
#: Region of all buckets.
REGION = "eu-west-1"
#: Some call to AWS; while the server asks nobody who they are, any name will do.
_ANYBODY = (
    "AWS4-HMAC-SHA256 Credential=x/20260101/{}/{}/aws4_request, SignedHeaders=host, Signature=0"
)
_POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'

#: Run in the server's environment, which has botocore.
_SIGN = """
import sys
from urllib.parse import urlsplit
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
url, date, region, key, secret = sys.argv[1:]
signer = S3SigV4QueryAuth(Credentials(key, secret), "s3", region)
request = AWSRequest("GET", url)
request.headers["host"] = urlsplit(url).netloc
request.context["timestamp"] = date
to_sign = signer.string_to_sign(request, signer.canonical_request(request))
print(signer.signature(to_sign, request))
"""


def _python() -> str:
    """The Python that has moto: of the environment that `make test` makes, or this one."""
    if SERVER_PYTHON.exists():
        return str(SERVER_PYTHON)
    if importlib.util.find_spec("moto") is None:
        reason = "moto is missing: run the tests by `make test`, which installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return sys.executable


class S3Server:
    """A context manager; waits until it answers.

    Args:
        log: Where the server tells of every request.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self.port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        command = [_python(), "-W", "ignore", "-m", "moto.server"]
        address = ["-H", "127.0.0.1", "-p", str(self.port)]
        # Its lines are not ours to be covered, and measuring them takes its time.
        env = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [*command, *address], stdout=output, stderr=output, env=env
            )
        wait_until(self._answers, "the S3 server answers")
        self._user = self._make_user()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)

    def _answers(self) -> bool:
        assert self._process.poll() is None, self.log.read_text()
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/moto-api/").status_code == 200
        return False

    def _iam(self, action: str, **parameters: str) -> str:
        form = {"Action": action, "Version": "2010-05-08", "UserName": "worker", **parameters}
        headers = {"Authorization": _ANYBODY.format("us-east-1", "iam")}
        return httpx.post(self.url, data=form, headers=headers).raise_for_status().text

    def _make_user(self) -> dict[str, str]:
        self._iam("CreateUser")
        self._iam("PutUserPolicy", PolicyName="all", PolicyDocument=_POLICY)
        keys = self._iam("CreateAccessKey")
        found = re.findall(r"<(?:AccessKeyId|SecretAccessKey)>(.*?)<", keys)
        return dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), found, strict=True))

    def make_bucket(self) -> str:
        """Return the name of a new, empty bucket."""
        name = f"b-{uuid.uuid4().hex[:12]}"
        body = (
            '<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        )
        headers = {"Authorization": _ANYBODY.format(REGION, "s3")}
        httpx.put(f"{self.url}/{name}", content=body, headers=headers).raise_for_status()
        return name

    def environment(self, port: int | None = None) -> Mapping[str, str]:
        """Return the variables that lead to the server, or to a proxy before it."""
        endpoint = {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port or self.port}"}
        return {**self._user, **endpoint, "AWS_REGION": REGION}

    def signature(self, url: str, date: str) -> str:
        """Return how AWS's own library signs a presigned URL of the user that lacks it."""
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        arguments = [url, date, REGION, *(self._user[name] for name in names)]
        command = [_python(), "-c", _SIGN, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    @contextlib.contextmanager
    def checking_signatures(self) -> Iterator[None]:
        """Let only those in who sign with the user's key.

        Off by default: it fails on URLs that carry their signature.
        """
        switch = f"{self.url}/moto-api/reset-auth"
        httpx.post(switch, content=b"0").raise_for_status()
        try:
            yield
        finally:
            httpx.post(switch, content=b"inf").raise_for_status()
