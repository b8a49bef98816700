"""The settings of a unit test: `kit.testing.config.values["greeting"] = "hello"`."""

values: dict[str, str] = {}


def get(name: str) -> str | None:
    return values.get(name)
