"""Which device and number format to use on this machine."""

from __future__ import annotations

import torch

from leyenda.errors import ModelError, near

TRAINING_PRECISIONS = ("auto", "fp32", "bf16", "fp16")

PRECISIONS = (*TRAINING_PRECISIONS, "int8")
"""For captioning; int8 is what `leyenda.models.int8` does to weights, the rest is in `choose_inference_dtype`."""

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

WIDE_ENOUGH_FOR_BF16 = 128
"""Hidden size from which bf16 autocast pays on a CPU with bf16 instructions; below it, casting costs more."""

WIDE_ENOUGH_FOR_BF16_CAPTIONS = 512
"""Hidden size from which captioning in bf16 is worth that a caption may differ from the one in fp32."""


def choose_device(device: str | None = None) -> torch.device:
    """The named device, or the best one here: CUDA, then Apple's MPS, then the CPU.

    Raises:
        ModelError: the named device does not exist here.

    >>> choose_device("cpu").type
    'cpu'
    """
    if device is not None:
        return _device_named(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _device_named(name: str) -> torch.device:
    fix = "Use cpu, cuda, cuda:N or mps."
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ModelError(f"There is no device {name!r}.", fix) from error
    if device.type == "cuda":
        cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if not cards:
            raise ModelError("torch finds no CUDA device on this machine.", "Use --device cpu.")
        if (device.index or 0) >= cards:
            raise ModelError(
                f"There is no device {name!r} on this machine.", f"The last one is cuda:{cards - 1}."
            )
    elif device.type == "mps":
        if not torch.backends.mps.is_available():
            raise ModelError("torch finds no MPS device on this machine.", "Use --device cpu.")
    elif device.type != "cpu":
        raise ModelError(f"leyenda does not run on the device {name!r}.", fix)
    return device


def choose_training_precision(precision: str, device: torch.device, hidden_size: int) -> str:
    """`fp32`, `bf16` or `fp16` for training: what `precision` names; for `auto`, what fits the machine.

    Args:
        precision: one of `TRAINING_PRECISIONS`.
        device: where training runs.
        hidden_size: width of the text decoder.

    Raises:
        ModelError: unknown name, or fp16 on a CPU (its gradients underflow there, and nothing is gained).
    """
    if precision == "int8":
        raise ModelError("int8 is for captioning, not for training.", "Use --precision auto.")
    _check(precision)
    if precision == "fp16" and device.type == "cpu":
        raise ModelError("fp16 training needs a GPU.", "Use --precision fp32 or bf16.")
    if precision != "auto":
        return precision
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    if device.type == "cpu" and hidden_size >= WIDE_ENOUGH_FOR_BF16 and _cpu_has_bf16():
        return "bf16"
    return "fp32"


def choose_inference_dtype(precision: str, device: torch.device, hidden_size: int = 0) -> torch.dtype:
    """The number format of the weights for captioning.

    On a CPU, `auto` is bf16 where that pays, which is with wide models on CPUs that multiply bf16; a few captions in
    a hundred may then differ from those in fp32. Everywhere else on a CPU it is fp32.

    Args:
        precision: one of `PRECISIONS`.
        device: where captions are made.
        hidden_size: width of the text decoder.

    Raises:
        ModelError: unknown name.

    >>> choose_inference_dtype("auto", torch.device("cpu"), hidden_size=192)
    torch.float32
    """
    _check(precision)
    if precision == "int8":
        return torch.bfloat16 if _cpu_has_bf16() else torch.float32
    if precision != "auto":
        return _DTYPES[precision]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device.type == "cpu" and hidden_size >= WIDE_ENOUGH_FOR_BF16_CAPTIONS and _cpu_has_bf16():
        return torch.bfloat16
    return torch.float32


def _check(precision: str) -> None:
    if precision not in PRECISIONS:
        raise ModelError(
            f"There is no precision {precision!r}.",
            near(precision, PRECISIONS) or f"Use one of {', '.join(PRECISIONS)}.",
        )


def _cpu_has_bf16() -> bool:
    """Whether the CPU multiplies bf16 matrices by itself (AVX-512 BF16 or AMX) and does not emulate it."""
    cpu = torch.cpu
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(cpu, probe)()) for probe in probes if hasattr(cpu, probe))
