"""Values that outlive an instance (`wasi:keyvalue`), which wit/handler.wit must import.

Other instances and versions of the handler find them, in the host's memory or in Redis. Operations
take effect at once, also in a callback that fails afterwards. One that fails raises an `internal`
failure, which ends the session unless it is caught. In a unit test the values are in memory: see
`kit.testing.keyvalue`.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from componentize_py_types import Err
from wit_world.imports.types import Failure

# A unit test runs in another Python, where the host's functions are missing.
if sys.platform == "wasi":
    from wit_world.imports import atomics, keyvalue as store
else:
    from kit.testing import keyvalue as store
    atomics = store


class Bucket:
    """A set of keys with their values. The host has one for each name of up to 64 letters, digits,
    `-`, `_` and `.`."""

    def __init__(self, name: str):
        with failures():
            self.host = store.open(name)

    def get(self, key: str) -> bytes | None:
        """The value of a key, if it has one."""
        with failures():
            return self.host.get(key)

    def get_text(self, key: str) -> str | None:
        """The value of a key as text, if it has one. A value that is not UTF-8 is a failure."""
        value = self.get(key)
        try:
            return None if value is None else value.decode()
        except UnicodeDecodeError:
            raise failure(f"the value of `{key}` is not UTF-8") from None

    def set(self, key: str, value: str | bytes) -> None:
        """Sets the value of a key, text or bytes."""
        with failures():
            self.host.set(key, value.encode() if isinstance(value, str) else value)

    def delete(self, key: str) -> None:
        """Deletes a key and its value. Does nothing if the key has none."""
        with failures():
            self.host.delete(key)

    def exists(self, key: str) -> bool:
        """Whether a key has a value."""
        with failures():
            return self.host.exists(key)

    def increment(self, key: str, by: int = 1) -> int:
        """Adds to a value that is a decimal number, and returns the sum. A missing value counts as
        0. No other instance can interfere."""
        with failures():
            return atomics.increment(self.host, key, by)

    def update(self, key: str, change: Callable[[bytes | None], bytes | None]) -> bool:
        """Replaces a value by one that depends on it, and returns whether it did. `change` gets the
        value, and returns the new one, or None to leave it. If another instance changes the value
        in between, `change` is called again."""
        with failures():
            cas = atomics.Cas.new(self.host, key)
            while (value := change(cas.current())) is not None:
                try:
                    atomics.swap(cas, value)
                    return True
                except Err as error:
                    if not isinstance(error.value, atomics.CasError_CasFailed):
                        raise
                    cas = error.value.value
        return False

    def keys(self) -> list[str]:
        """All keys, sorted. A key that is set or deleted meanwhile may be among them or not."""
        keys, cursor = set(), None
        while True:
            with failures():
                page = self.host.list_keys(cursor)
            keys.update(page.keys)
            cursor = page.cursor
            if cursor is None:
                return sorted(keys)


@contextmanager
def failures() -> Iterator[None]:
    """Turns errors of the store into failures of the session."""
    try:
        yield
    except Err as error:
        if isinstance(error.value, Failure):
            raise
        raise failure(reason(error.value)) from None


def failure(reason: str) -> Err:
    return Err(Failure("internal", reason))


def reason(error: object) -> str:
    """The reason in an error of the bindings, which have a class around each."""
    while hasattr(error, "value"):
        error = error.value
    return error if isinstance(error, str) else "there is no such bucket, or no access to it"
