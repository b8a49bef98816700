"""The operator's settings for the handler (`wasi:config`), which wit/handler.wit must import."""

import sys

# A unit test runs in another Python, where the host's functions are missing.
if sys.platform == "wasi":
    from wit_world.imports import config as host
else:
    from kit.testing import config as host


def get(name: str) -> str | None:
    """The value that the operator gave with `--config-value NAME=VALUE`, if any.

    A unit test sets it with `kit.testing.config.values`.
    """
    return host.get(name)
