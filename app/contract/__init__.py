"""The contract: what a payload must be before it is queued or rendered."""

from app.contract.contract import Contract, load_contract
from app.contract.digest import ADVISORY_FIELDS, payload_digest
from app.contract.failure import MAX_ERRORS
from app.contract.parse import MAX_DEPTH, MAX_PAYLOAD_BYTES, parse_json
from app.contract.remote import AddressRefused, HttpsAddress, RemoteAssets, S3Address, public_uri
from app.contract.requests import RequestSchema
from app.contract.schemas import read_schema

__all__ = [
    "ADVISORY_FIELDS",
    "MAX_DEPTH",
    "MAX_ERRORS",
    "MAX_PAYLOAD_BYTES",
    "AddressRefused",
    "Contract",
    "HttpsAddress",
    "RemoteAssets",
    "RequestSchema",
    "S3Address",
    "load_contract",
    "parse_json",
    "payload_digest",
    "public_uri",
    "read_schema",
]
