"""CHAIR: how many of the objects that captions name are not in the picture.

Rohrbach et al. 2018, "Object Hallucination in Image Captioning" (arXiv:1809.02156). An object counts as there when an
annotation or one of the image's references says so. Which words name which object stands in a synonym file; the paper's
own (`synonyms.txt`) is one, and this is another:

    person, girl, boy, man, woman
    dog, puppy
    hot dog, hotdog
    ! dog house, hot dog stand

- One object a line: its name, then other words for it, apart by commas. Upper and lower case are the same.
- Words may be several (`hot dog`). Of the terms that fit, the longest wins: a "hot dog" is no dog.
- English plurals need not be written (`dogs`, `buses`, `puppies`, `women`).
- A line that begins with `!` lists phrases that name no object although they hold the name of one.
- Empty lines and lines that begin with `#` say nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from leyenda.errors import ScoreError
from leyenda.metrics.corpus import Corpus, Measurement, check_ids, ratio
from leyenda.metrics.registry import Metric
from leyenda.metrics.unicode_tokenizer import letter_runs
from leyenda.records import Scores

NO_OBJECT = ""
"""Stands for the phrases of `!` lines."""

NAMED_IDS = 5

IRREGULAR_PLURALS = {
    "man": "men", "woman": "women", "child": "children", "person": "people", "foot": "feet", "tooth": "teeth",
    "goose": "geese", "mouse": "mice", "ox": "oxen", "leaf": "leaves", "loaf": "loaves", "half": "halves",
    "calf": "calves", "wolf": "wolves", "shelf": "shelves", "scarf": "scarves", "thief": "thieves",
}  # fmt: skip
"""The last letters of a singular -> those of its plural (`policeman` ends as `man`)."""

NORMALIZATION = (
    "lower case, Unicode NFC, runs of letters and digits; the longest term of the synonym file wins, English plurals "
    "included; every mention counts"
)

Term = tuple[str, ...]


@dataclass(frozen=True)
class ObjectTerms:
    """Which words name which object.

    Args:
        objects: the objects' names, in the order of the file.
        terms: words in order -> the object that they name, or `NO_OBJECT`.
    """

    objects: tuple[str, ...]
    terms: Mapping[Term, str] = field(repr=False)

    @classmethod
    def of(cls, synonyms: Mapping[str, Iterable[str]], no_objects: Iterable[str] = ()) -> ObjectTerms:
        """Terms from names and their synonyms.

        Args:
            synonyms: object -> other words for it; the object's name is one of its terms.
            no_objects: phrases that name no object.

        Raises:
            ScoreError: no objects, a term without letters, or one that stands for two things.
        """
        if not synonyms:
            raise ScoreError("There are no objects to look for.", "Name at least one.")
        terms: dict[Term, str] = {}
        for name, others in synonyms.items():
            for text in (name, *others):
                _add(terms, text, name)
        for phrase in no_objects:
            _add(terms, phrase, NO_OBJECT)
        for term, name in list(terms.items()):
            for plural in _plurals(term[-1]):
                terms.setdefault((*term[:-1], plural), name)
        return cls(tuple(synonyms), terms)

    @classmethod
    def read(cls, path: str | Path) -> ObjectTerms:
        """Terms from a synonym file (UTF-8).

        Raises:
            ScoreError: no such file, not text, or a line that does not fit; the message names the line.
        """
        try:
            lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ScoreError(
                f"The synonym file '{path}' cannot be read: {error}.", "Check its name."
            ) from error
        synonyms: dict[str, list[str]] = {}
        no_objects: list[str] = []
        for number, line in enumerate(lines, start=1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            told = line.strip().removeprefix("!").split(",")
            words = [text.strip() for text in told if text.strip()]
            if not words:
                raise ScoreError(f"{path}:{number}: the line names no object.", "Write: dog, puppy")
            if line.lstrip().startswith("!"):
                no_objects += words
            else:
                synonyms.setdefault(words[0], []).extend(words[1:])
        try:
            return cls.of(synonyms, no_objects)
        except ScoreError as error:
            raise ScoreError(f"'{path}': {error.cause}", error.fix) from error

    def named_in(self, text: str) -> tuple[str, ...]:
        """The objects that a text names, one for every mention, in order.

        >>> terms = ObjectTerms.of({"dog": ["puppy"], "hot dog": []}, ["dog house"])
        >>> terms.named_in("Two puppies and a dog eat hot dogs in a dog house.")
        ('dog', 'dog', 'hot dog')
        """
        words = letter_runs(text)
        longest = max(map(len, self.terms))
        found = []
        place = 0
        while place < len(words):
            for size in range(min(longest, len(words) - place), 0, -1):
                name = self.terms.get(words[place : place + size])
                if name is not None:
                    break
            else:
                size, name = 1, NO_OBJECT
            if name != NO_OBJECT:
                found.append(name)
            place += size
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Hallucination:
    """What captions name, and what of it is not there.

    Args:
        chair_i: mentions of objects that are not there over all mentions of objects, in [0, 1]; 0 is best, and
            the value when no object is named at all. As in the paper's code, an object named twice counts twice.
        chair_s: captions that name at least one object that is not there over all captions, in [0, 1]; 0 is best.
        mentioned: image id -> the objects that its caption names, one for every mention.
        invented: image id -> those of them that are not there.
        present: image id -> the objects that are there.
        normalization: how text was prepared and where objects are from, in words.
    """

    chair_i: float
    chair_s: float
    mentioned: Mapping[str, tuple[str, ...]] = field(repr=False)
    invented: Mapping[str, tuple[str, ...]] = field(repr=False)
    present: Mapping[str, frozenset[str]] = field(repr=False)
    normalization: str = field(repr=False)

    @property
    def scores(self) -> Scores:
        """The two rates as `chair_i` and `chair_s`, with those of each image."""
        per_image = {
            "chair_i": {
                image: len(self.invented[image]) / max(1, len(named))
                for image, named in self.mentioned.items()
            },
            "chair_s": {image: float(bool(invented)) for image, invented in self.invented.items()},
        }
        values = {"chair_i": self.chair_i, "chair_s": self.chair_s}
        return Scores(values, per_image, dict.fromkeys(values, self.normalization), len(self.mentioned))


def chair(
    hypotheses: Mapping[str, str],
    terms: ObjectTerms,
    *,
    references: Mapping[str, Sequence[str]] | None = None,
    annotations: Mapping[str, Iterable[str]] | None = None,
) -> Hallucination:
    """How many of the objects that captions name are not in the picture.

    Args:
        hypotheses: image id -> the generated caption.
        terms: which words name which object.
        references: image id -> what people wrote; objects named there are in the picture.
        annotations: image id -> names of objects in the picture (`read_annotations`); a synonym will do. With
            references as well, both count, as in the paper.

    Returns:
        The rates, and per image the objects named, invented and present.

    Raises:
        ScoreError: no images; neither references nor annotations; an image that one of them lacks; an annotated object
            that the terms do not know.

    >>> terms = ObjectTerms.of({"dog": ["puppy"], "cat": [], "bench": []})
    >>> found = chair({"1": "a dog on a bench", "2": "a cat"}, terms, references={"1": ["a puppy"], "2": ["a cat"]})
    >>> round(found.chair_i, 3), found.chair_s, found.invented["1"]
    (0.333, 0.5, ('bench',))
    """
    present = _present(hypotheses, terms, references, annotations)
    mentioned = {image: terms.named_in(text) for image, text in hypotheses.items()}
    invented = {
        image: tuple(name for name in names if name not in present[image])
        for image, names in mentioned.items()
    }
    mentions = sum(map(len, mentioned.values()))
    sources = [
        words
        for words, given in (("references", references), ("annotations", annotations))
        if given is not None
    ]
    return Hallucination(
        chair_i=sum(map(len, invented.values())) / max(1, mentions),
        chair_s=sum(map(bool, invented.values())) / len(invented),
        mentioned=mentioned,
        invented=invented,
        present=present,
        normalization=f"{NORMALIZATION}; {len(terms.objects)} objects; present: {' and '.join(sources)}",
    )


CHAIR = ("chair_i", "chair_s")
"""What `chair_metrics` are called."""


def chair_metrics(
    terms: ObjectTerms, annotations: Mapping[str, Iterable[str]] | None = None
) -> tuple[Metric, Metric]:
    """`chair_i` and `chair_s` as metrics that stand beside the others, with intervals and controls.

    Args:
        terms: which words name which object.
        annotations: as in `chair`; the references count in any case.

    >>> from leyenda.metrics import score
    >>> metrics = chair_metrics(ObjectTerms.of({"dog": [], "bench": []}))
    >>> score({"1": "a dog on a bench", "2": "a dog"}, {"1": ["a dog"], "2": ["a dog"]}, metrics).values["chair_s"]
    0.5
    """

    def found(corpus: Corpus) -> Hallucination:
        said = dict(zip(corpus.ids, corpus.hypotheses, strict=True))
        people = dict(zip(corpus.ids, corpus.references, strict=True))
        return chair(said, terms, references=people, annotations=annotations)

    def chair_i(corpus: Corpus) -> Measurement:
        each = corpus.once(found)
        rows = [[len(each.invented[image]), len(each.mentioned[image])] for image in corpus.ids]
        return Measurement.summed(np.array(rows, dtype=np.float64), ratio, each.normalization)

    def chair_s(corpus: Corpus) -> Measurement:
        each = corpus.once(found)
        wrong = np.array([bool(each.invented[image]) for image in corpus.ids], dtype=np.float64)
        return Measurement.mean(wrong, each.normalization)

    return Metric("chair_i", "lower", 0.0, chair_i), Metric("chair_s", "lower", 0.0, chair_s)


def read_annotations(path: str | Path) -> dict[str, tuple[str, ...]]:
    """Objects per image from a JSON file.

    Either `{"image id": ["dog", "car"], ...}`, or the instances of COCO (`images`, `annotations`, `categories`). An
    image of the latter is found by its file name, by that without its ending, and by its number.

    Raises:
        ScoreError: no such file, or neither of the two forms.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ScoreError(f"The annotations '{path}' cannot be read: {error}.", "Give a JSON file.") from error
    try:
        if {"images", "annotations", "categories"} <= content.keys():
            return _coco_instances(content)
        return {image: _names(objects) for image, objects in content.items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ScoreError(
            f"'{path}' has annotations of another form.",
            'Write {"image id": ["dog", "car"]}, or give the instances file of COCO.',
        ) from error


def _coco_instances(content: Mapping[str, Sequence[Mapping[str, object]]]) -> dict[str, tuple[str, ...]]:
    names = {category["id"]: str(category["name"]) for category in content["categories"]}
    objects: dict[object, list[str]] = {image["id"]: [] for image in content["images"]}
    for annotation in content["annotations"]:
        objects[annotation["image_id"]].append(names[annotation["category_id"]])
    found: dict[str, tuple[str, ...]] = {}
    for image in content["images"]:
        file_name = str(image.get("file_name", image["id"]))
        for key in (str(image["id"]), Path(file_name).stem, file_name):
            found[key] = tuple(objects[image["id"]])
    return found


def _names(objects: object) -> tuple[str, ...]:
    if not isinstance(objects, list) or not all(isinstance(name, str) for name in objects):
        raise ValueError("not a list of names")
    return tuple(objects)


def _present(
    hypotheses: Mapping[str, str],
    terms: ObjectTerms,
    references: Mapping[str, Sequence[str]] | None,
    annotations: Mapping[str, Iterable[str]] | None,
) -> dict[str, frozenset[str]]:
    if references is None and annotations is None:
        raise ScoreError(
            "Nothing says which objects the pictures hold.", "Give references, annotations, or both."
        )
    if references is not None:
        check_ids(hypotheses, references)
    elif not hypotheses:
        raise ScoreError("There is nothing to score: no captions were given.", "Give at least one image.")
    if annotations is not None:
        lacking = [image for image in hypotheses if image not in annotations]
        if lacking:
            named = ", ".join(map(repr, lacking[:NAMED_IDS])) + (" ..." if len(lacking) > NAMED_IDS else "")
            raise ScoreError(
                f"{len(lacking)} image(s) have no annotations: {named}.",
                "Annotate them (an empty list for a picture without objects), or leave them out.",
            )
    return {
        image: frozenset(name for text in (references or {}).get(image, ()) for name in terms.named_in(text))
        | frozenset(_known(terms, name) for name in (annotations or {}).get(image, ()))
        for image in hypotheses
    }


def _known(terms: ObjectTerms, name: str) -> str:
    found = terms.terms.get(letter_runs(name), NO_OBJECT)
    if found == NO_OBJECT:
        raise ScoreError(
            f"The annotations have an object {name!r} that the synonym file does not know.",
            "Add a line for it.",
        )
    return found


def _add(terms: dict[Term, str], text: str, name: str) -> None:
    words = letter_runs(text)
    if not words:
        raise ScoreError(f"The term {text!r} of {name or '!'!r} has no letters.", "Leave it out.")
    other = terms.setdefault(words, name)
    if other != name:
        raise ScoreError(
            f"{' '.join(words)!r} stands for two things, {other or '!'!r} and {name or '!'!r}.",
            "Leave it with one of them.",
        )


def _plurals(word: str) -> list[str]:
    """English plurals of a word, the unusual ones included where there are any."""
    plurals = [word + "s"]
    if word.endswith(("s", "x", "z", "ch", "sh", "o")):
        plurals.append(word + "es")
    if word.endswith("y"):
        plurals.append(word[:-1] + "ies")
    if word.endswith("fe"):
        plurals.append(word[:-2] + "ves")
    for singular, plural in IRREGULAR_PLURALS.items():
        if word.endswith(singular):
            plurals.append(word.removesuffix(singular) + plural)
    return plurals
