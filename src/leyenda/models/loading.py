"""Find a checkpoint by name and load it: a folder, a training run, the embedded `demo`, or a hub id."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from leyenda.errors import ModelError, near
from leyenda.models import git_plain
from leyenda.models.checkpoint import CaptioningModel, quiet
from leyenda.models.damage import damage_in
from leyenda.models.families import Family, family_of
from leyenda.models.git import Git
from leyenda.models.int8 import check_int8, quantize
from leyenda.models.packed import can_pack
from leyenda.models.precision import choose_device, choose_inference_dtype

DEFAULT_MODEL = "microsoft/git-base-coco"
"""What captions pictures when the user names no model."""

_HUB_PATIENCE_S = 5.0

_PREPARES_PICTURES = ("AutoProcessor", "AutoImageProcessor")

DEMO_FOLDER = Path(__file__).resolve().parents[1] / "quickstart" / "demo"


def resolve_name(name: str | Path) -> str:
    """The folder or hub id that a model's name stands for.

    Args:
        name: `demo`, a checkpoint's folder, a training run's folder (its best model is meant), or a hub id.

    Raises:
        ModelError: a path that is not there, or a folder that is no checkpoint.
    """
    text = str(name)
    if text == "demo":
        return str(DEMO_FOLDER)
    if not text:
        raise ModelError("The name of the model is empty.", "Name a folder, a hub id, or demo.")
    folder = Path(text).expanduser()
    if folder.is_dir():
        return str(_checkpoint_in(folder))
    if folder.is_file():
        raise ModelError(f"{text!r} is a file, not a model.", "Name the folder that holds config.json.")
    if text.startswith((".", "/", "~")) or text.count("/") > 1 or text.endswith("/"):
        raise ModelError(f"There is no model folder {text!r}.", "Check the path, or try --model demo.")
    if "/" not in text:
        raise ModelError(
            f"There is no model {text!r}.",
            near(text, ["demo"]) or "Name a folder, a hub id such as microsoft/git-base-coco, or demo.",
        )
    return text


def _checkpoint_in(folder: Path) -> Path:
    for candidate in (folder, folder / "model"):
        if (candidate / "config.json").is_file():
            return candidate
    if (folder / "recipe.yaml").is_file():
        raise ModelError(
            f"The training run {str(folder)!r} has no model yet.",
            f"Finish it with: leyenda train --output {folder} --resume",
        )
    raise ModelError(f"The folder {str(folder)!r} holds no model: it has no config.json.", "Check the path.")


def load(
    name: str | Path,
    *,
    device: str | None = None,
    precision: str = "auto",
    dtype: torch.dtype | None = None,
    revision: str | None = None,
    token: str | None = None,
    fast: bool = True,
    captions_only: bool = False,
) -> CaptioningModel:
    """Load a checkpoint for captioning or training.

    Args:
        name: as for `resolve_name`.
        device: `cpu`, `cuda`, `cuda:N`, `mps`; None takes the best one here.
        precision: `auto`, `fp32`, `bf16`, `fp16` or `int8`.
        dtype: number format of the weights, instead of what `precision` would choose.
        revision: branch, tag or commit of a hub id.
        token: hub token; None uses the one that `hf auth login` stored.
        fast: compute with leyenda's own code where it has any; False leaves all to `transformers`, to compare.
        captions_only: it is never trained. Many GIT checkpoints are then read without `transformers`, whose import
            takes longer than captioning a picture.

    Raises:
        ModelError: it cannot be found, fetched, read, or is of no known kind; or weights are missing in it.
    """
    place = resolve_name(name)
    chosen_device = choose_device(device)

    def dtype_for(hidden_size: int) -> torch.dtype:
        return dtype or choose_inference_dtype(precision, chosen_device, hidden_size)

    finish = _in_int8 if precision == "int8" else _in_evaluation
    if precision == "int8":
        check_int8(chosen_device)
    pack = captions_only and precision != "int8"
    origin = _origin(place, revision, token)
    if captions_only and fast and Path(place).is_dir():
        plain = git_plain.read(Path(place))
        if plain is not None:
            network, parts = plain
            _lower(network, Git(), dtype_for(network.config.hidden_size), chosen_device, pack=pack)
            finish(network.to(chosen_device))
            return CaptioningModel(str(name), network, parts, parts.tokenizer, parts.image_processor, Git())
    with quiet(), _downloads_shown():
        config = _load_part("AutoConfig", place, str(name), **origin)
        family = family_of(config, str(name))
        model, report = _load_part(
            family.auto_class,
            place,
            str(name),
            dtype=torch.float32,  # `lower_precision` knows what may be shorter
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # `_check_weights` refuses them in plain words
            **origin,
        )
        _check_weights(report, str(name))
        processor = _load_processor(place, str(name), origin)
        _check_vocabulary(processor[1], str(name))
    if fast:
        family.make_fast(model)
    if _lower(model, family, dtype_for(text_width(config)), chosen_device, pack=pack):

        def save_again(folder: Path | str, **options: Any) -> None:
            as_it_was = _load_part(family.auto_class, place, str(name), dtype=torch.float32, **origin)
            as_it_was.save_pretrained(folder, **options)

        model.save_pretrained = save_again
    finish(model.to(chosen_device))
    return CaptioningModel(str(name), model, *processor, family)


def _lower(model: Any, family: Family, dtype: torch.dtype, device: torch.device, *, pack: bool) -> bool:
    """Let a model of float32 weights compute in a shorter number format.

    Returns:
        Whether its weights are packed: then they cannot be written as they are.
    """
    if dtype == torch.float32:
        return False
    if pack and can_pack(device, dtype) and family.pack(model):
        return True
    family.lower_precision(model, dtype)
    return False


def text_width(config: Any) -> int:
    """Width of a model's text decoder, 0 where its configuration does not say."""
    return int(getattr(config.get_text_config(), "hidden_size", 0) or 0)


def _in_evaluation(model: Any) -> None:
    model.eval()


def _in_int8(model: Any) -> None:
    quantize(model.eval())


def load_parts(
    name: str | Path,
    model_class: str,
    other_classes: Sequence[str],
    *,
    device: str | None = None,
    precision: str = "auto",
    token: str | None = None,
    unused: tuple[str, ...] = (),
) -> list[Any]:
    """A checkpoint that reads captions and writes none: a CLIP, a sentence encoder, a language model.

    Args:
        name: as for `resolve_name`.
        model_class: the `transformers` auto class of the weights.
        other_classes: auto classes of what stands beside them: `AutoTokenizer`, `AutoImageProcessor`.
        device: as for `load`.
        precision: as for `load`.
        token: hub token; None uses the one that `hf auth login` stored.
        unused: beginnings of the names of weights that the file may lack, since the caller does not use them.

    Returns:
        The model in evaluation mode on the device, then the others in their order.

    Raises:
        ModelError: as for `load`.
    """
    place = resolve_name(name)
    chosen_device = choose_device(device)
    dtype = choose_inference_dtype(precision, chosen_device)
    origin = _origin(place, None, token)
    with quiet(), _downloads_shown():
        others = [_load_part(each, place, str(name), **origin) for each in other_classes]
        model, report = _load_part(
            model_class,
            place,
            str(name),
            dtype=dtype,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # as in `load`
            **origin,
        )
    missing = [key for key in report["missing_keys"] if not key.startswith(unused)]
    _check_weights({**report, "missing_keys": missing}, str(name))
    for part in others:
        if hasattr(part, "all_special_tokens"):
            _check_vocabulary(part, str(name))
    return [model.to(chosen_device).eval(), *others]


def load_tokenizer(name: str | Path, *, revision: str | None = None, token: str | None = None) -> Any:
    """Only the tokenizer of a checkpoint, for `leyenda data check`; no weights are read.

    Raises:
        ModelError: as for `load`.
    """
    place = resolve_name(name)
    origin = _origin(place, revision, token)
    with quiet():
        tokenizer = _load_part("AutoTokenizer", place, str(name), **origin)
    _check_vocabulary(tokenizer, str(name))
    return tokenizer


def _origin(place: str, revision: str | None, token: str | None) -> dict[str, Any]:
    """What `from_pretrained` needs for a hub id; without an answering hub, only what was fetched before."""
    if not Path(place).is_dir():
        return {"revision": revision, "token": token, "local_files_only": not _hub_answers()}
    if revision is not None:
        raise ModelError(
            f"A folder has no revisions, so {place!r} has no {revision!r}.",
            "Leave out --revision, or name a hub id.",
        )
    return {}


@contextlib.contextmanager
def _downloads_shown() -> Iterator[None]:
    """A download may take minutes: on a terminal its progress bar is shown."""
    from huggingface_hub.utils import disable_progress_bars, enable_progress_bars

    if sys.stderr.isatty():
        enable_progress_bars()
    try:
        yield
    finally:
        disable_progress_bars()


def _hub_answers() -> bool:
    """One short request, so that a machine without network learns it in seconds and not after six retries."""
    import httpx
    from huggingface_hub import constants

    if constants.is_offline_mode():
        return False
    try:
        httpx.head(constants.ENDPOINT, timeout=_HUB_PATIENCE_S)
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    return True


def _load_processor(place: str, name: str, origin: dict[str, Any]) -> tuple[Any, Any, Any]:
    """`(processor or None, tokenizer, image processor)`."""
    processor = _load_part("AutoProcessor", place, name, **origin)
    if hasattr(processor, "image_processor") and hasattr(processor, "tokenizer"):
        return processor, processor.tokenizer, processor.image_processor
    tokenizer = _load_part("AutoTokenizer", place, name, **origin)
    return None, tokenizer, _load_part("AutoImageProcessor", place, name, **origin)


def _load_part(auto_class: str, place: str, name: str, **arguments: Any) -> Any:
    import transformers

    try:
        return getattr(transformers, auto_class).from_pretrained(place, trust_remote_code=False, **arguments)
    except Exception as error:
        # transformers, safetensors, tokenizers and json each raise kinds of their own for a file that is
        # absent or broken; whatever it was, the user's model could not be read, and the cause stays chained.
        raise _explain(error, place, name, pictures=auto_class in _PREPARES_PICTURES) from error


def _explain(error: Exception, place: str, name: str, pictures: bool) -> ModelError:
    kinds = set(_kinds_of_causes(error))
    if "GatedRepoError" in kinds:
        fix = "Ask for it on its hub page, then log in with: hf auth login"
        return ModelError(f"The model {name!r} is given on request only.", fix)
    if kinds & {"RepositoryNotFoundError", "RevisionNotFoundError"}:
        fix = "Check the name, or log in with: hf auth login"
        return ModelError(f"The hub has no model {name!r} of that revision, or it is private.", fix)
    if not Path(place).is_dir() and kinds & {
        "LocalEntryNotFoundError",
        "OfflineModeIsEnabled",
        "ConnectError",
    }:
        return ModelError(
            f"The model {name!r} is not on this machine, and the model hub does not answer.",
            "\nGo online and try again, or name a model that is here: --model FOLDER, or --model demo.",
        )
    said = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return ModelError(
        f"The model {name!r} cannot be read: {damage_in(Path(place), pictures) or said}.",
        "Copy or save it again, or name another model.",
    )


def _kinds_of_causes(error: BaseException | None) -> list[str]:
    kinds = []
    while error is not None:
        kinds.append(type(error).__name__)
        error = error.__cause__ or error.__context__
    return kinds


def _check_weights(report: dict[str, Any], name: str) -> None:
    """A weight that the file lacks would be random: that is an error, not a warning."""
    fix = "The file is damaged or of another architecture: download or save it again."
    if absent := sorted(report["missing_keys"]):
        raise ModelError(f"The model {name!r} lacks {len(absent)} of its weights ({absent[0]}, ...).", fix)
    # Entries are names, or names with both shapes.
    if other := sorted(key if isinstance(key, str) else key[0] for key in report["mismatched_keys"]):
        raise ModelError(
            f"In the model {name!r}, {len(other)} of its weights have other sizes than config.json says "
            f"({other[0]}, ...).",
            fix,
        )


def _check_vocabulary(tokenizer: Any, name: str) -> None:
    """Without its files `transformers` makes a tokenizer that knows no word, and says nothing."""
    if len(tokenizer) <= len(set(tokenizer.all_special_tokens)):
        raise ModelError(
            f"The model {name!r} has a tokenizer without words: its tokenizer.json or vocabulary is not there.",
            "Copy or save it again with its tokenizer.",
        )
