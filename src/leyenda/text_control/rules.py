"""Rules that every caption keeps: what it may not say, must say, begins and ends with, and how long it is."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace

from leyenda.characters import classes
from leyenda.errors import CaptionError, LeyendaError
from leyenda.records import Caption
from leyenda.text_control.phrases import SEPARATORS, WHITE_SPACE, end_of_start, holds, words_of
from leyenda.text_control.shortening import shortened

_NO_SPACE_BEFORE = ",;:.!?…)]}»”%，。：；、！？）」』】"
_NO_SPACE_AFTER = "([{«“¿¡#@（「『【"


@dataclass(frozen=True, slots=True)
class TextRules:
    """What a user asks of every caption, applied in this order.

    1. `drop_prompt` takes the prompt off; what is left must have no word of `ban`. The search sees to that already.
    2. `strip_start`: phrases taken off the start, as long as one of them is there.
    3. `max_words`: the rest is cut to so many words.
    4. `prefix` in front, `suffix` behind.
    5. `trigger` in front of all, with a comma: `WORD, caption`, as trainers of LoRA adapters expect.

    A caption without the words of `require` after step 3 is none; of several beams the best that has them is taken.

    Applied again to what they made, rules change nothing; only an unwanted start that begins with the prefix or the
    trigger, and goes on, is looked for across the seam.

    Args:
        prefix: text before the caption. A space comes between where the script has spaces.
        suffix: text behind it; a comma or the like takes the place of the caption's full stop.
        trigger: the word of an adapter.
        strip_start: phrases that the caption shall not begin with; case and accents make no difference.
        max_words: most words of the model's own, additions not counted; None for any number.
        ban: words or phrases that the model may not write, compared by whole words in any casing.
        require: words or phrases without which a caption is not taken, compared in the same way.
        drop_prompt: leave out the prompt, which a caption otherwise begins with.

    Raises:
        LeyendaError: a value that makes no sense.

    >>> TextRules(strip_start=("this image is",), trigger="sks").apply("This image is a red dog.")
    'sks, A red dog.'
    """

    prefix: str = ""
    suffix: str = ""
    trigger: str = ""
    strip_start: tuple[str, ...] = ()
    max_words: int | None = None
    ban: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    drop_prompt: bool = False

    def __post_init__(self) -> None:
        for name in ("strip_start", "ban", "require"):
            values = getattr(self, name)
            object.__setattr__(self, name, (values,) if isinstance(values, str) else tuple(values))
            for value in getattr(self, name):
                _check_phrase(name, value)
        for name in ("prefix", "suffix", "trigger"):
            if not isinstance(getattr(self, name), str):
                raise LeyendaError(f"{name} is {getattr(self, name)!r}.", "It must be text.")
        if self.trigger:
            _check_phrase("trigger", self.trigger)
        _check_most_words(self.max_words)
        for required in self.require:
            for banned in self.ban:
                if holds(words_of(required), words_of(banned)):
                    raise LeyendaError(
                        f"{required!r} is required and {banned!r} is banned.", "Leave out one."
                    )

    def __bool__(self) -> bool:
        """Whether any rule is set."""
        return self != TextRules()

    def apply(self, text: str, *, given: str = "") -> str:
        """The caption to write.

        Args:
            text: what the model wrote, or what these rules made of it.
            given: the prompt, where the text begins with it: banned words in it are the user's own.

        Raises:
            CaptionError: nothing is left, a banned word is in it, or a required one is not.
        """
        if not self:
            return text
        return self.with_additions(self._body(text, given))

    def with_additions(self, body: str) -> str:
        """A text with the prefix, the suffix and the trigger."""
        if self.suffix and self.suffix[0] in _NO_SPACE_BEFORE:
            body = body.rstrip(".。" + WHITE_SPACE)
        whole = _joined(_joined(self.prefix, body), self.suffix)
        if self.trigger and end_of_start(whole, self.trigger) is None:
            whole = f"{self.trigger}, {whole}"
        return whole

    def without_additions(self, text: str) -> str:
        """What is left of a text without the trigger, the prefix and the suffix; all else stays as it is.

        >>> TextRules(trigger="sks", suffix="in the park").without_additions("sks, a dog in the park")
        'a dog'
        """
        text, suffix = text.strip(), self.suffix.strip()
        rest = text.removesuffix(suffix)
        if not (rest[-1:].isalnum() and suffix[:1].isalnum()):  # a word that ends like the suffix is whole
            text = rest.rstrip()
        for start in (self.trigger, self.prefix.strip()):
            text = text[(end_of_start(text, start) if start else None) or 0 :]
        return text

    def applied(self, caption: Caption, *, given: str = "") -> Caption:
        """The same with its text after `apply`.

        Raises:
            CaptionError: as `apply`.
        """
        return replace(caption, text=self.apply(caption.text, given=given)) if self else caption

    def accept(self, text: str, *, given: str = "") -> bool:
        """Whether `apply` would give a caption."""
        try:
            self.apply(text, given=given)
        except CaptionError:
            return False
        return True

    def _body(self, text: str, given: str) -> str:
        """What is left of the model's words."""
        if self.drop_prompt:
            text, given = text.removeprefix(given), ""
        said, first = words_of(text), len(words_of(given))
        for banned in self.ban:
            if holds(said, words_of(banned), first):
                raise CaptionError("has_banned", f"The caption {text!r} has {banned!r}, which is banned.")
        body = self._without_starts(self._without_suffix(text.strip()))
        if self.max_words is not None:
            body = shortened(body, self.max_words)
        if not any(unicodedata.category(char)[0] not in "PZC" for char in body):
            raise CaptionError("empty_caption", f"Nothing is left of the caption {text!r}.")
        left = words_of(body)
        for required in self.require:
            if not holds(left, words_of(required)):
                raise CaptionError(
                    "lacks_required",
                    f"The caption {body!r} lacks {required!r}.",
                    "More beams give more captions to choose from.",
                )
        return body

    def _without_suffix(self, text: str) -> str:
        suffix = self.suffix.strip()
        return text[: -len(suffix)].rstrip() if suffix and text.endswith(suffix) else text

    def _without_starts(self, text: str) -> str:
        """Without unwanted starts, and without what these rules put in front when they were applied before."""
        text = text.lstrip(SEPARATORS)
        starts = {self.trigger, self.prefix.strip(), *self.strip_start} - {""}
        longest_first = sorted(starts, key=lambda start: (-len(start), start))
        upper = text[:1].isupper()
        while True:
            found = ((start, end_of_start(text, start)) for start in longest_first)
            start, end = next(((start, end) for start, end in found if end is not None), ("", 0))
            if not end:
                return text
            text = text[end:]
            if start in self.strip_start:
                text = text[:1].upper() + text[1:] if upper else text
            else:
                upper = text[:1].isupper()


def _check_phrase(name: str, value: object) -> None:
    option = "--" + name.replace("_", "-")
    if not isinstance(value, str):
        raise LeyendaError(f"{name} has {value!r}.", "It must be text.")
    if not words_of(value):
        raise LeyendaError(f"{option} {value!r} holds no word.", "Give it letters or digits.")


def _check_most_words(value: object) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise LeyendaError(f"max_words is {value!r}.", "It must be a whole number from 1 up.")


def _joined(left: str, right: str) -> str:
    """Two texts as one, with a space between where one belongs."""
    if not left or not right:
        return left + right
    seam = left[-1], right[0]
    if seam[0].isspace() or seam[1].isspace() or seam[1] in _NO_SPACE_BEFORE or seam[0] in _NO_SPACE_AFTER:
        return left + right
    if all(classes(char) in "ik" or unicodedata.east_asian_width(char) in "WF" for char in seam):
        return left + right
    return f"{left} {right}"
