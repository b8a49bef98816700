"""The store of a unit test, in memory. It has the functions of the bindings of `wasi:keyvalue`."""

import re
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Self

from componentize_py_types import Err

# By bucket and key.
_values: dict[tuple[str, str], bytes] = {}
_broken: str | None = None


def clear() -> None:
    """Deletes all values, and lets operations succeed again."""
    global _broken
    _values.clear()
    _broken = None


def fail(reason: str) -> None:
    """Lets every operation fail, as if Redis did not respond."""
    global _broken
    _broken = reason


def _check() -> None:
    if _broken is not None:
        raise Err(Error_Other(_broken))


@dataclass
class Error_Other:
    value: str


class Error_NoSuchStore:
    pass


@dataclass
class CasError_CasFailed:
    value: "Cas"


class Bucket:
    def __init__(self, name: str):
        self.name = name

    def get(self, key: str) -> bytes | None:
        _check()
        return _values.get((self.name, key))

    def set(self, key: str, value: bytes) -> None:
        _check()
        _values[self.name, key] = value

    def delete(self, key: str) -> None:
        _check()
        _values.pop((self.name, key), None)

    def exists(self, key: str) -> bool:
        return self.get(key) is not None

    def list_keys(self, cursor: str | None) -> SimpleNamespace:
        """A page of one key, so that tests turn pages."""
        _check()
        keys = [key for bucket, key in _values if bucket == self.name]
        at = int(cursor or 0)
        rest = str(at + 1) if at + 1 < len(keys) else None
        return SimpleNamespace(keys=keys[at : at + 1], cursor=rest)


def open(name: str) -> Bucket:
    _check()
    if not re.fullmatch(r"[\w.-]{1,64}", name, re.ASCII):
        raise Err(Error_NoSuchStore())
    return Bucket(name)


class Cas:
    def __init__(self, bucket: Bucket, key: str):
        self.bucket, self.key = bucket, key
        self.value = bucket.get(key)

    @classmethod
    def new(cls, bucket: Bucket, key: str) -> Self:
        return cls(bucket, key)

    def current(self) -> bytes | None:
        self.value = self.bucket.get(self.key)
        return self.value


def swap(cas: Cas, value: bytes) -> None:
    if cas.bucket.get(cas.key) != cas.value:
        raise Err(CasError_CasFailed(Cas(cas.bucket, cas.key)))
    cas.bucket.set(cas.key, value)


def increment(bucket: Bucket, key: str, delta: int) -> int:
    try:
        total = int(bucket.get(key) or 0) + delta
        total.to_bytes(8, signed=True)
    except (ValueError, OverflowError):
        raise Err(Error_Other("the value, or the result, is not a whole number of 64 bits")) from None
    bucket.set(key, b"%d" % total)
    return total
