"""What stays at home: secrets, and the folders of the user's computer."""

from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

_SECRET = re.compile(r"(^|_)(token|password|secret|api_key)$", re.IGNORECASE)


def without_private_values(value: Any) -> Any:
    """A copy of nested names and values that may be published.

    Values named like secrets (`hub_token`, `password`) are dropped; absolute paths are cut to their last
    name, because the rest tells how the user's computer is set up, and often the user's name.

    Args:
        value: what a YAML or JSON file holds.

    >>> without_private_values({"source": "/home/ana/birds", "training": {"hub_token": "hf_x", "seed": 0}})
    {'source': 'birds', 'training': {'seed': 0}}
    """
    if isinstance(value, dict):
        return {
            name: without_private_values(inner)
            for name, inner in value.items()
            if not _SECRET.search(str(name))
        }
    if isinstance(value, list):
        return [without_private_values(inner) for inner in value]
    if isinstance(value, str):
        return public_name(value)
    return value


def public_name(path: str) -> str:
    r"""An absolute path's last name; any other text as it is.

    >>> public_name("/home/ana/birds/"), public_name("C:\\Users\\ana\\birds"), public_name("birds/2024")
    ('birds', 'birds', 'birds/2024')
    """
    if PureWindowsPath(path).is_absolute():
        return PureWindowsPath(path).name
    if PurePosixPath(path).is_absolute() or path.startswith("~"):
        return PurePosixPath(path).name
    return path
