"""Why a checkpoint's folder cannot be loaded, in words: `transformers` answers with its own insides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_PREPARATION = ("processor_config.json", "preprocessor_config.json")


def damage_in(folder: Path, pictures: bool = True) -> str:
    """The first thing that is wrong with a checkpoint's files, as the end of a sentence; empty when none is seen.

    Args:
        folder: holds `config.json`.
        pictures: whether it should say how pictures are prepared.
    """
    for file in sorted(folder.glob("*.json")):
        if _json_in(file) is None:
            return f"its {file.name} is no JSON, so it is cut off or damaged"
    wrong = _wrong_kind(_json_in(folder / "config.json")) or _wrong_weights(folder)
    return wrong or (_no_preparation(folder) if pictures else "")


def _json_in(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None


def _wrong_kind(config: Any) -> str:
    from transformers import CONFIG_MAPPING

    kind = config.get("model_type") if isinstance(config, dict) else None
    if not isinstance(kind, str):
        return "its config.json does not say which kind of model it is (model_type)"
    return "" if kind in CONFIG_MAPPING else f"nobody here knows models of the kind {kind!r} (config.json)"


def _wrong_weights(folder: Path) -> str:
    from safetensors import SafetensorError, safe_open

    files = sorted(folder.glob("*.safetensors"))
    if not files and not any(folder.glob("*.bin")):
        return "it has no weights (model.safetensors)"
    for file in files:
        try:
            with safe_open(file, framework="pt"):
                continue
        except (SafetensorError, OSError):
            return f"its {file.name} is cut off or damaged"
    return ""


def _no_preparation(folder: Path) -> str:
    if any((folder / name).is_file() for name in _PREPARATION):
        return ""
    return f"it does not say how to prepare pictures ({' or '.join(_PREPARATION)})"
