"""Pictures that are the same to the eye though their bytes differ: re-encoded, resized or slightly retouched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BITS = 64
NEAR_DISTANCE = 8
"""Most bits in which the hashes of near duplicates differ."""

_SAMPLES = 32
_FREQUENCIES = 8
_THUMBNAIL = 8

_FLAT = 3.0
"""Grey levels; a picture that varies less has no shape to compare, and the bits of its hash are noise."""

_MEAN_DIFFERENCE = 8.0
_MOST_DIFFERENCE = 28.0
"""Grey levels by which the thumbnails of near duplicates differ, on average and at most. Equal hashes say
that the coarse shapes agree; drawings from one hand often do and differ in colour or in one part."""

_BLOCK = 256
"""Hashes of one bucket compared at once."""


class Fingerprint(NamedTuple):
    """What is kept of a picture to compare it with others.

    Args:
        hash: perceptual hash of 64 bits.
        thumbnail: mean colours of 8 x 8 fields, uint8 of shape (8, 8, 3).
        flat: the picture has no shape to compare.
    """

    hash: int
    thumbnail: NDArray[np.uint8]
    flat: bool


NO_FINGERPRINT = Fingerprint(0, np.zeros((_THUMBNAIL, _THUMBNAIL, 3), np.uint8), True)
"""Of a picture that cannot be opened; it is near to none."""


def fingerprint(picture: Image.Image) -> Fingerprint:
    """The perceptual hash of an RGB picture and what is needed to confirm a match.

    The hash has one bit for each of the 8 x 8 lowest frequencies of the discrete cosine transform of the
    picture in grey, shrunk to 32 x 32: whether it is above their median (Zauner, Implementation and
    Benchmarking of Perceptual Image Hash Functions, 2010).
    """
    grey = np.asarray(_shrunk(picture.convert("L"), _SAMPLES), np.float64)
    thumbnail = np.asarray(_shrunk(picture, _THUMBNAIL), np.uint8)
    spectrum = (_COSINES @ grey @ _COSINES.T).ravel()
    spectrum[0] = 0.0  # the mean: says how bright the picture is, not what it shows
    bits = spectrum > np.median(spectrum[1:])
    return Fingerprint(
        int.from_bytes(np.packbits(bits).tobytes(), "big"), thumbnail, float(grey.std()) < _FLAT
    )


def near_duplicates(
    fingerprints: Sequence[Fingerprint], distance: int = NEAR_DISTANCE
) -> list[tuple[int, int]]:
    """Pairs of positions (first < second) of pictures that are nearly the same.

    Args:
        fingerprints: one for each picture.
        distance: most bits in which two hashes may differ, 0 to 63.

    Returns:
        Sorted pairs. Flat pictures are in none.
    """
    shaped = np.array([n for n, one in enumerate(fingerprints) if not one.flat], np.int64)
    if len(shaped) < 2:
        return []
    hashes = np.array([fingerprints[n].hash for n in shaped], np.uint64)
    thumbnails = np.stack([fingerprints[n].thumbnail for n in shaped]).reshape(len(shaped), -1)
    pairs = near_hashes(hashes, distance)
    difference = np.abs(thumbnails[pairs[:, 0]].astype(np.int16) - thumbnails[pairs[:, 1]])
    alike = (difference.mean(axis=1) <= _MEAN_DIFFERENCE) & (difference.max(axis=1) <= _MOST_DIFFERENCE)
    return [(int(first), int(second)) for first, second in shaped[pairs[alike]]]


def near_hashes(hashes: NDArray[np.uint64], distance: int) -> NDArray[np.int64]:
    """All pairs of hashes that differ in at most `distance` bits, without comparing all with all.

    Cut into distance + 1 bands, two such hashes are equal in at least one band; only those are compared.

    Args:
        hashes: shape (n,).
        distance: 0 to 63 bits.

    Returns:
        Sorted positions, shape (pairs, 2), first < second in each.

    >>> near_hashes(np.array([0b0000, 0b1111, 0b0001], np.uint64), 1).tolist()
    [[0, 2]]
    """
    if not 0 <= distance < BITS:
        raise ValueError(f"distance must be 0 to {BITS - 1} bits, not {distance}")
    found = [np.empty((0, 2), np.int64)]
    edges = np.linspace(0, BITS, distance + 2).astype(int)
    for low, high in pairwise(edges):
        band = (hashes >> np.uint64(low)) & np.uint64((1 << int(high - low)) - 1)
        for bucket in _buckets(band):
            found.extend(_near_in_bucket(hashes, bucket, distance))
    return np.unique(np.concatenate(found), axis=0)


def _buckets(keys: NDArray[np.uint64]) -> Iterator[NDArray[np.int64]]:
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order])) + 1
    yield from (bucket for bucket in np.split(order, starts) if len(bucket) > 1)


def _near_in_bucket(
    hashes: NDArray[np.uint64], bucket: NDArray[np.int64], distance: int
) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(bucket), _BLOCK):
        block = bucket[start : start + _BLOCK]
        rest = bucket[start:]
        rows, columns = np.nonzero(differing_bits(hashes[block][:, None] ^ hashes[rest]) <= distance)
        upper = rows < columns
        yield np.sort(np.stack([block[rows[upper]], rest[columns[upper]]], axis=1), axis=1)


def differing_bits(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """How many bits are set in each value, which is in how many two hashes differ when it is both of them `^`."""
    # Sums of neighbouring bits, then of pairs, of fours, of bytes (Warren, Hacker's Delight, section 5-1).
    values = values - ((values >> _1) & _EVERY_2ND)
    values = (values & _PAIRS) + ((values >> _2) & _PAIRS)
    values = (values + (values >> _4)) & _FOURS
    return (values * _BYTES) >> np.uint64(56)


def _shrunk(picture: Image.Image, side: int) -> Image.Image:
    return picture.resize((side, side), Image.Resampling.BOX)


def _cosines() -> NDArray[np.float64]:
    """The first rows of the discrete cosine transform (type II), shape (frequencies, samples)."""
    frequency = np.arange(_FREQUENCIES)[:, None]
    sample = np.arange(_SAMPLES)
    return np.asarray(np.cos(np.pi * frequency * (2 * sample + 1) / (2 * _SAMPLES)))


_COSINES = _cosines()
_1, _2, _4 = np.uint64(1), np.uint64(2), np.uint64(4)
_EVERY_2ND, _PAIRS = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333)
_FOURS, _BYTES = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)
