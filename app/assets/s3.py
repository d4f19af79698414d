"""``s3://`` assets: objects of allowed buckets, read with the worker's own credentials."""

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
    from obstore.store import S3Config

if TYPE_CHECKING:  # only in the library's stubs
    from obstore.store import ClientConfig

#: Bytes of an object that are asked for at once; what is smaller comes in one piece.
CHUNK_BYTES: Final = 1024 * 1024
#: Repeats of one request; the attempt itself is repeated too.
MAX_RETRIES: Final = 2


class S3Source:
    """Reads objects from buckets. Threads share it.

    Endpoint, region and credentials are those of the environment (``AWS_ENDPOINT_URL``,
    ``AWS_REGION``, ``AWS_ACCESS_KEY_ID`` and the others of the SDKs, or the role of the machine or
    pod); obstore reads them itself. The endpoint is the operator's: ``https://``, at any address.

    Args:
        config: Goes before the environment.
        client: Goes before our own options of the HTTP client.
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
            AssetFailed: It is absent, forbidden or not the one declared.
            AssetUnavailable: The store cannot be reached, fails or breaks off.
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
            raise asset.failed("asset-absent", f"{where} has no such object") from None
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise asset.failed("asset-forbidden", f"{where} does not let this worker in") from error
        except InvalidPathError as error:
            raise asset.failed("asset-refused", "there is no such key") from error
        except BaseError as error:
            detail = f"{where} did not answer as it should; try again later"
            raise asset.unavailable(detail) from error

    def _store(self, bucket: str, timeouts: Timeouts) -> S3Store:
        """Return the client of one bucket, which keeps connections and credentials."""
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
