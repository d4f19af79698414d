"""Remote assets: fetched within limits, checked, and kept by the digest of their content."""

from app.assets.cache import AssetCache
from app.assets.fetcher import AssetFetcher
from app.assets.s3 import S3Source

__all__ = ["AssetCache", "AssetFetcher", "S3Source"]
