"""Faces that show a mood."""

from __future__ import annotations

from collections.abc import Callable

from leyenda.quickstart.pen import INK, Pen

MOODS = ("happy", "sad", "angry", "surprised")


def draw_face(pen: Pen, mood: str | None) -> None:
    """Draw eyes and mouth, about 22 units wide, around the pen's origin.

    Args:
        pen: where.
        mood: one of `MOODS`; None sleeps.
    """
    _FACES[mood](pen)


def _draw_eyes(face: Pen, *, size: float, look: float = 0.0) -> None:
    for side in (-1, 1):
        face.ellipse(side * 6.2, -2, size, size * 1.12, (255, 255, 255), outline=0.8)
        face.ellipse(side * 6.2, -2 + look, size * 0.52, size * 0.58, INK, outline=0)
        face.ellipse(side * 6.2 + 0.8, -3.2 + look, 0.9, 0.9, (255, 255, 255), outline=0)


def _happy(face: Pen) -> None:
    _draw_eyes(face, size=4.3)
    for side in (-1, 1):
        face.ellipse(side * 10.5, 4, 2, 1.4, (255, 120, 140), outline=0)
    mouth = [(-7, 4.5), (0, 5.5), (7, 4.5), (4.5, 9.5), (0, 11.5), (-4.5, 9.5)]
    face.blob(mouth, (120, 25, 45), outline=0.9)
    face.ellipse(0, 9.3, 3, 1.7, (255, 110, 130), outline=0)


def _sad(face: Pen) -> None:
    _draw_eyes(face, size=4.0, look=1.4)
    for side in (-1, 1):
        face.stroke([(side * 10.5, -5.5), (side * 3, -9.5)], INK, 1.5)
        face.blob(
            [(side * 8, 2.5), (side * 8 - 1.8, 7), (side * 8, 9), (side * 8 + 1.8, 7)],
            (120, 210, 255),
            outline=0.6,
        )
    face.stroke([(-4.5, 10.5), (0, 6.5), (4.5, 10.5)], INK, 1.7)


def _angry(face: Pen) -> None:
    _draw_eyes(face, size=4.0, look=0.4)
    for side in (-1, 1):
        face.stroke([(side * 12, -10), (side * 2, -4)], INK, 2.8)
    face.polygon([(-7, 5.5), (7, 5.5), (8, 11), (-8, 11)], (255, 255, 255), outline=1.2)
    for x in (-3.5, 0, 3.5):
        face.stroke([(x, 5.5), (x, 11)], INK, 0.9)


def _surprised(face: Pen) -> None:
    _draw_eyes(face, size=5.4)
    for side in (-1, 1):
        face.stroke([(side * 9.5, -10.5), (side * 6.2, -11.8), (side * 3, -10.5)], INK, 1.3)
    face.ellipse(0, 9, 3.3, 4.2, (120, 25, 45), outline=0.9)


def _sleeping(face: Pen) -> None:
    for side in (-1, 1):
        face.stroke([(side * 6.2 - 3.5, -2.5), (side * 6.2, 0.2), (side * 6.2 + 3.5, -2.5)], INK, 1.6)
        face.ellipse(side * 10, 3.5, 2, 1.4, (255, 120, 140), outline=0)
    face.stroke([(-2.2, 6), (0, 7.4), (2.2, 6)], INK, 1.4)


_FACES: dict[str | None, Callable[[Pen], None]] = {
    "happy": _happy,
    "sad": _sad,
    "angry": _angry,
    "surprised": _surprised,
    None: _sleeping,
}
