"""What a frozen image encoder makes of each picture is computed once, kept on disk, and read in place of the pixels.

The cache is the user's and not the run's, so that a second run with another learning rate finds it filled. Its folder
is named after everything that decides the features of a picture but the picture itself: the encoder's weights and
settings, the preparation of pictures, the precision. In it a row is found by the digest of the picture's encoded
bytes, never by a file name. What is torn or damaged is computed again. The folder may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import itertools
import json
import os
import pickle
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from leyenda.data.cache import cache_folder
from leyenda.data.examples import Examples
from leyenda.errors import ImageError, disk_error
from leyenda.models import CaptioningModel
from leyenda.models.generation import search_suits
from leyenda.records import Example, Skipped
from leyenda.training.feature_file import ITEM_BYTES, PARTIAL, FeatureFile, FeatureWriter, Row, TornFile
from leyenda.training.pictures import Pictures, encoded, in_order, memory_budget, no_caption, usable
from leyenda.training.processes import ALONE, Processes

LAYOUT = 1
"""Raise it when the same encoder and picture are to give other rows, so that old ones are not read."""

_FILE_BYTES = 1 << 30
_FILE_SECONDS = 60.0
"""A file is finished at this size or after this time, so that a process that is killed loses a minute's work."""

_SHARE_OF_FREE_DISK = 0.9
"""The rest is for the run's checkpoints and everyone else."""

_AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}

Talk = Callable[[str], None]
Place = tuple[FeatureFile, int]


class ImageFeatures:
    """The features of a run's pictures, read from the cache.

    Args:
        place_of: file and row of each example's features, by id.
        folder: where the files are.
        dtype: what the run computes with.
    """

    def __init__(self, place_of: Mapping[str, Place], folder: Path, dtype: torch.dtype) -> None:
        self._place_of = place_of
        self._dtype = dtype
        self.folder = folder

    def inputs(self, examples: Sequence[Example]) -> dict[str, torch.Tensor]:
        """What the model takes in place of these pictures' pixels.

        Args:
            examples: at least one, of those that the cache was opened for.

        Returns:
            `image_features`: float tensor `[len(examples), positions, width]` on the CPU.
        """
        places = [self._place_of[example.id] for example in examples]
        first = places[0][0]
        rows = np.empty((len(places), first.positions, first.width), np.int16)
        for position, (file, number) in enumerate(places):
            rows[position] = file.row(number)
        # Without it every row ever read would count as the process's memory.
        for file in {file.path: file for file, _ in places}.values():
            file.release()
        return {"image_features": torch.from_numpy(rows).view(torch.bfloat16).to(self._dtype)}


@dataclass(frozen=True, slots=True)
class RunImages:
    """What a run sees of its pictures.

    Args:
        images: gives the model's input for examples; features where they can be kept, else pixels.
        parts: the examples that can be used, in the order in which the parts were given.
        skipped: why the other ones were left out, by id.
    """

    images: Pictures | ImageFeatures
    parts: tuple[Examples, ...]
    skipped: Mapping[str, Skipped]


def open_images(
    model: CaptioningModel,
    parts: Sequence[Examples],
    *,
    frozen: bool,
    augment: bool,
    precision: str,
    talk: Talk,
    batch_size: int = 16,
    exact_decode: bool = False,
    processes: Processes = ALONE,
) -> RunImages:
    """Look at every picture once before training, and keep what training is to see of it.

    With a frozen image encoder that is the encoder's output, as it is in evaluation (without dropout). Where there
    is no room for it on the disk, training works all the same, and the user is told what it costs.

    Args:
        model: what is trained.
        parts: training and validation examples.
        frozen: whether the image encoder keeps its weights.
        augment: whether the run shows random views of its pictures.
        precision: `fp32`, `bf16` or `fp16`: what the encoder computes in.
        talk: where lines for the user go.
        batch_size: how many pictures the encoder sees at once.
        exact_decode: decode every pixel of large JPEGs.
        processes: the first one of each machine fills its cache while the others wait; without a cache they share
            the looking at pictures.

    Raises:
        DiskError: the disk became full while features were written.
    """
    pictures = Pictures(model, memory_budget(processes), exact_decode=exact_decode)
    if frozen and model.family.takes_image_features:
        encoder = _Encoder(model, pictures, precision, batch_size)
        kept = _kept_on_each_machine(encoder, parts, augment, talk, processes)
        if isinstance(kept, _Kept):
            return _run_images(kept.images, [_without(part, kept.skipped) for part in parts], [kept.skipped])
        talk(f"{kept}, so the frozen image encoder runs in every step. Training works, but more slowly.")
    checked = [usable(part, pictures, processes) for part in parts]
    return _run_images(pictures, [part for part, _ in checked], [skipped for _, skipped in checked])


def _run_images(
    images: Pictures | ImageFeatures, parts: Sequence[Examples], skipped: Sequence[Mapping[str, Skipped]]
) -> RunImages:
    return RunImages(images, tuple(parts), {name: why for some in skipped for name, why in some.items()})


def _without(part: Examples, skipped: Mapping[str, Skipped]) -> Examples:
    return part.select(number for number, name in enumerate(part.ids()) if name not in skipped)


@dataclass(frozen=True, slots=True)
class _Kept:
    """Features of the pictures that can be used, and why the other ones cannot."""

    images: ImageFeatures
    skipped: Mapping[str, Skipped]


def _kept_on_each_machine(
    encoder: _Encoder, parts: Sequence[Examples], augment: bool, talk: Talk, processes: Processes
) -> _Kept | str:
    """What the cache of this machine holds once its first process has filled it, or why nothing is kept.

    One of them alone reads and checks all that is there: it takes as long as reading every picture.
    """

    def fill() -> _Kept | str:
        try:
            _refuse_pixels_only(encoder.model, augment)
            return _with_features(encoder, parts, talk)
        except _NotKept as reason:
            return str(reason)

    if processes.count == 1:
        return fill()
    # As bytes, because a machine cannot open the files of another one.
    filled = processes.gathered(lambda: pickle.dumps(fill()) if processes.local_rank == 0 else b"")
    own: _Kept | str = pickle.loads(filled[processes.rank - processes.local_rank])  # noqa: S301 - our own
    # Where one machine can keep none, none does: all have to compute the same.
    refusals = processes.gathered(lambda: own if isinstance(own, str) else "")
    return next((refusal for refusal in refusals if refusal), own)


class _NotKept(Exception):
    """Why features cannot be kept or used; known before anything was written."""


def _refuse_pixels_only(model: CaptioningModel, augment: bool) -> None:
    if augment:
        raise _NotKept("Random views (data.augment) change the pictures in every epoch")
    if not search_suits(model.model.generation_config):
        raise _NotKept(f"The generation settings of {model.name!r} need pixels to caption with")


@dataclass(frozen=True, slots=True)
class _Encoder:
    """Pictures to rows of the cache."""

    model: CaptioningModel
    pictures: Pictures
    precision: str
    batch_size: int

    def rows(self, pixels: Sequence[torch.Tensor]) -> Any:
        """Bits of bfloat16 features `[batch, positions, width]` for pictures `[3, height, width]` of `Pictures`."""
        model, device = self.model, self.model.device
        autocast = torch.autocast(
            device.type, _AUTOCAST.get(self.precision), enabled=self.precision in _AUTOCAST
        )
        batch = model.normalized(torch.stack(list(pixels)).to(device))
        with torch.inference_mode(), autocast:
            features = model.family.image_features(model.model, batch)
        return features.to(torch.bfloat16).cpu().contiguous().view(torch.int16).numpy()

    def identity(self) -> str:
        """A digest of everything that decides features, but the picture."""
        encoder = self.model.family.image_encoder(self.model.model)
        config: Any = getattr(encoder, "config", None)
        settings = config.to_dict() if config is not None else {}
        for passing in ("transformers_version", "_name_or_path"):
            settings.pop(passing, None)
        said = [LAYOUT, type(encoder).__name__, settings, self.pictures.preparation(), self.precision]
        digest = hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode())
        for name, weight in encoder.state_dict().items():
            digest.update(f"\0{name}\0{weight.dtype}\0{tuple(weight.shape)}\0".encode())
            digest.update(weight.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
        return digest.hexdigest()[:32]


@contextlib.contextmanager
def _evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Without dropout."""
    before = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(before)


class _Store:
    """The files of one identity, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place_of: dict[bytes, Place] = {}
        """Rows whose checksum was found right, by the picture's digest."""
        self._unchecked: dict[bytes, list[Place]] = {}

    def open(self) -> None:
        """Find the rows there are, and remove what a killed process left."""
        for path in sorted(self.folder.iterdir()):
            if path.name.endswith(PARTIAL):
                path.unlink()
            elif path.suffix == ".features":
                self._open_file(path)

    def _open_file(self, path: Path) -> None:
        try:
            file = FeatureFile(path)
        except TornFile:
            path.unlink()
            return
        for digest, number in file.row_of.items():
            self._unchecked.setdefault(digest, []).append((file, number))

    def holds(self, digest: bytes) -> bool:
        """Whether there is a sound row of this picture."""
        for file, number in self._unchecked.get(digest, ()):
            if digest not in self.place_of and file.is_sound(number):
                self.place_of[digest] = file, number
            file.release()
        return digest in self.place_of

    def writer(self) -> FeatureWriter:
        """A new file."""
        return FeatureWriter(self.folder / f"{secrets.token_hex(8)}.features")

    def take(self, path: Path) -> None:
        """Use the rows of a file that was written just now."""
        file = FeatureFile(path)
        for digest, number in file.row_of.items():
            self.place_of[digest] = file, number


def _with_features(encoder: _Encoder, parts: Sequence[Examples], talk: Talk) -> _Kept:
    folder = cache_folder() / "features" / encoder.identity()
    digest_of: dict[str, bytes] = {}
    skipped: dict[str, Skipped] = {}
    with _locked(folder, talk), ThreadPoolExecutor(max_workers=_threads()) as pool:
        store = _Store(folder)
        try:
            store.open()
            missing = _look_up(store, parts, pool, digest_of, skipped)
            encoded = _encoded(encoder, missing, pool, digest_of, skipped)
            expected = len({digest_of[example.id] for example in missing})
            with _evaluating(encoder.model.model):
                _write(store, encoded, expected, talk)
        except OSError as error:
            raise disk_error(error, folder) from error
    place_of = {name: store.place_of[digest] for name, digest in digest_of.items() if name not in skipped}
    dtype = torch.bfloat16 if encoder.precision == "bf16" else torch.float32
    return _Kept(ImageFeatures(place_of, folder, dtype), skipped)


@contextlib.contextmanager
def _locked(folder: Path, talk: Talk) -> Iterator[None]:
    """One process fills the cache; another one waits, and then finds it filled. The lock ends with the process."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise _NotKept(
            f"Image features cannot be kept in {folder} ({error.strerror}; LEYENDA_CACHE names another folder)"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            talk(f"Waiting for another process that is computing image features in {folder}.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _threads() -> int:
    return min(8, os.cpu_count() or 1)


def _look_up(
    store: _Store,
    parts: Sequence[Examples],
    pool: ThreadPoolExecutor,
    digest_of: dict[str, bytes],
    skipped: dict[str, Skipped],
) -> list[Example]:
    """The examples whose features are to be computed; fills `digest_of` and `skipped`."""

    def look(example: Example) -> tuple[bytes, bool] | Skipped:
        if problem := no_caption(example):
            return problem
        try:
            digest = hashlib.sha256(encoded(example)).digest()
        except ImageError as error:
            return Skipped(error.code, str(error))
        return digest, store.holds(digest)

    missing = []
    with _bar("Looking for image features", sum(map(len, parts))) as bar:
        for example, found in in_order(pool, look, (example for part in parts for example in part)):
            bar.update()
            if isinstance(found, Skipped):
                skipped[example.id] = found
                continue
            digest_of[example.id], there = found
            if not there:
                missing.append(example)
    return missing


def _encoded(
    encoder: _Encoder,
    missing: Sequence[Example],
    pool: ThreadPoolExecutor,
    digest_of: dict[str, bytes],
    skipped: dict[str, Skipped],
) -> Iterator[tuple[bytes, Row]]:
    """Digest and features of each picture once, while the next pictures are being decoded."""

    def prepare(example: Example) -> tuple[bytes, torch.Tensor] | Skipped:
        try:
            data = encoded(example)
            return hashlib.sha256(data).digest(), encoder.pictures.prepared(data, example)
        except ImageError as error:
            return Skipped(error.code, str(error))

    seen: set[bytes] = set()
    batch: dict[bytes, torch.Tensor] = {}
    with _bar("Computing image features", len(missing)) as bar:
        for example, found in in_order(pool, prepare, missing):
            bar.update()
            if isinstance(found, Skipped):
                skipped[example.id] = found
                continue
            digest, pixels = found
            digest_of[example.id] = digest
            if digest not in seen:
                seen.add(digest)
                batch[digest] = pixels
            if len(batch) == encoder.batch_size:
                yield from zip(batch, encoder.rows(list(batch.values())), strict=True)
                batch = {}
        if batch:
            yield from zip(batch, encoder.rows(list(batch.values())), strict=True)


def _write(store: _Store, rows: Iterator[tuple[bytes, Row]], expected: int, talk: Talk) -> None:
    """Put rows into files; the first one tells how large all of it becomes, before anything is written."""
    first = next(rows, None)
    if first is None:
        if store.place_of:
            talk(f"Image features of {len(store.place_of)} pictures are in the cache: {store.folder}")
        return
    _announce(store, first[1].shape, expected, talk)
    rows = itertools.chain([first], rows)
    ended = False
    while not ended:
        with store.writer() as writer:
            ended = _fill(writer, rows)
            if writer.size:
                writer.finish()
                store.take(writer.path)


def _fill(writer: FeatureWriter, rows: Iterator[tuple[bytes, Row]]) -> bool:
    """Write rows until the file is large or old enough; says whether these were the last ones."""
    started = time.monotonic()
    for digest, row in rows:
        writer.add(digest, row)
        if writer.size >= _FILE_BYTES or time.monotonic() - started >= _FILE_SECONDS:
            return False
    return True


def _announce(store: _Store, shape: tuple[int, ...], pictures: int, talk: Talk) -> None:
    size = shape[0] * shape[1] * ITEM_BYTES * pictures
    free = shutil.disk_usage(store.folder).free
    if size > free * _SHARE_OF_FREE_DISK:
        raise _NotKept(
            f"Image features need {in_words(size)} in {store.folder}, where {in_words(free)} are free (LEYENDA_CACHE "
            "names another folder)"
        )
    there = f" beside those of {len(store.place_of)} pictures that are there" if store.place_of else ""
    talk(
        f"Computing image features: {shape[0]} x {shape[1]} x {ITEM_BYTES} bytes x {pictures} pictures = "
        f"{in_words(size)} in {store.folder}{there}. Later runs use them too; to free the space, delete that folder."
    )


def in_words(size: int) -> str:
    """A number of bytes for people.

    >>> in_words(197 * 768 * 2 * 800)
    '242 MB'
    >>> in_words(12_345_678_900)
    '12.3 GB'
    """
    if size >= 10**9:
        return f"{size / 10**9:.1f} GB"
    return f"{size / 10**6:.0f} MB" if size >= 10**6 else f"{size / 1000:.0f} kB"


def _bar(what: str, total: int) -> Any:
    return tqdm(desc=what, total=total, unit="picture", delay=2, file=sys.stderr, leave=False)
