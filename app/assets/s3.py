"""Fetches ``s3://`` assets from allowed buckets, with the worker's credentials."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import obstore
from obstore.exceptions import (
    BaseError,
    InvalidPathError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import S3Store

from app.assets.intake import Intake
from app.assets.remote_asset import RemoteAsset
from app.assets.watch import Timeouts, Watch
from app.contract import S3Address

if TYPE_CHECKING:  # only in the library's stubs
    from obstore.store import ClientConfig, S3Config

#: Smallest chunk of an object to read, in bytes.
CHUNK_BYTES: Final = 1024 * 1024
#: Most retries of a request. The job is retried as well.
MAX_RETRIES: Final = 2


class S3Source:
    """Reads objects from buckets. Thread-safe.

    obstore reads endpoint, region and credentials from the environment (``AWS_ENDPOINT_URL``,
    ``AWS_REGION``, ``AWS_ACCESS_KEY_ID`` and the other variables of the SDKs) or from the role of
    the machine or pod. The operator chooses the endpoint: any address, with ``https://``.

    Args:
        config: Overrides the environment.
        client: Overrides the default options of the HTTP client.
    """

    def __init__(
        self, *, config: S3Config | None = None, client: ClientConfig | None = None
    ) -> None:
        self._config: S3Config = config or {}
        self._client: ClientConfig = client or {}
        self._stores: dict[str, S3Store] = {}

    def read(self, asset: RemoteAsset, address: S3Address, intake: Intake, watch: Watch) -> None:
        """Read the object at ``address`` into ``intake``.

        Raises:
            AssetFailed: The object is missing, forbidden or not as declared.
            AssetUnavailable: The store is unreachable, fails or closes the connection.
        """
        where = f"the bucket {address.bucket!r}"
        try:
            found = obstore.get(self._store(address.bucket, watch.timeouts), address.key)
            intake.announce(
                content_type=str(found.attributes.get("Content-Type", "")),
                encoding=str(found.attributes.get("Content-Encoding", "")),
                length=int(found.meta["size"]),
            )
            for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
                watch.left(0)
                intake.write(bytes(chunk))
        except FileNotFoundError:
            raise asset.failed("asset-absent", f"the object does not exist in {where}") from None
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise asset.failed("asset-forbidden", f"{where} denies this worker access") from error
        except InvalidPathError as error:
            raise asset.failed("asset-refused", "the key is not valid") from error
        except BaseError as error:
            detail = f"{where} did not respond properly; try again later"
            raise asset.unavailable(detail) from error

    def _store(self, bucket: str, timeouts: Timeouts) -> S3Store:
        """Return the client of a bucket, which keeps connections and credentials."""
        if bucket not in self._stores:
            self._stores[bucket] = S3Store(
                bucket,
                config=self._config,
                client_options={
                    "connect_timeout": timedelta(seconds=timeouts.connect),
                    "timeout": timedelta(seconds=timeouts.total),
                    **self._client,
                },
                retry_config={
                    "max_retries": MAX_RETRIES,
                    "retry_timeout": timedelta(seconds=timeouts.total),
                },
            )
        return self._stores[bucket]
