"""SPICE 1.0: objects, attributes and relations of captions, compared by the official Java program.

Anderson et al., "SPICE: Semantic Propositional Image Caption Evaluation", 2016, arXiv:1607.08822.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from leyenda.errors import JudgeError
from leyenda.judges.coco_jars import coco_folder
from leyenda.judges.equipment import Equipment
from leyenda.judges.java_process import SETTINGS, find_java, java_version, program_failed
from leyenda.metrics.corpus import Corpus, Floats, Measurement
from leyenda.metrics.ptb_tokenizer import ptb_tokens

PURPOSE = "SPICE"
FILES = ("spice-1.0.jar", "lib/SceneGraphParser-1.0.jar", "lib/Meteor-1.5.jar")
PARSER_JARS = ("stanford-corenlp-3.6.0.jar", "stanford-corenlp-3.6.0-models.jar")
"""Stanford CoreNLP, which no package carries: the user downloads `stanford-corenlp-full-2015-12-09.zip`."""

FOLDER_VARIABLE = "LEYENDA_SPICE_JARS"
MEMORY = "-Xmx8G"
FIRST_JAVA_WITHOUT_JAVASCRIPT = 15

NORMALIZATION = (
    "Penn Treebank tokens as in the official COCO caption evaluation: lower case, punctuation dropped; "
    "then SPICE 1.0's own parser (Stanford CoreNLP 3.6.0) and synonyms, for English"
)


def check(equipment: Equipment) -> None:
    """See that a fitting Java and all jars are there.

    Raises:
        JudgeError: one of them is absent.
        MissingExtra: the package with SPICE's own jar is not installed.
    """
    _command(equipment)


def spice(corpus: Corpus, equipment: Equipment) -> Measurement:
    """SPICE's F-score over propositions; the mean over images.

    SPICE has no way to stay running: its program is started once per call, with all images. It is given no cache
    folder, so nothing is left behind (its cache fails on newer versions of Java besides).

    Raises:
        JudgeError: Java or a jar is absent, or the program fails.
        MissingExtra: the package with SPICE's own jar is not installed.
    """
    return Measurement.mean(
        f_scores(corpus.hypotheses, corpus.references, _command(equipment)), NORMALIZATION
    )


def f_scores(
    hypotheses: Sequence[str], references: Sequence[Sequence[str]], command: Sequence[str]
) -> Floats:
    """F-score of every image, in [0, 1].

    Args:
        hypotheses: one caption per image.
        references: what people wrote.
        command: starts SPICE; the names of the files to read and to write are appended.

    Raises:
        JudgeError: the program fails, or writes something else than scores.
    """
    questions = [
        {"image_id": place, "test": _words(text), "refs": [_words(reference) for reference in texts]}
        for place, (text, texts) in enumerate(zip(hypotheses, references, strict=True))
    ]
    with tempfile.TemporaryDirectory(prefix="leyenda-spice-") as folder:
        asked, answered = Path(folder) / "captions.json", Path(folder) / "scores.json"
        asked.write_text(json.dumps(questions), encoding="ascii")
        done = subprocess.run(  # noqa: S603 - java with the official jar
            [*command, str(asked), "-out", str(answered), "-silent"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        words = done.stderr.decode("utf-8", "replace")
        if done.returncode or not answered.is_file():
            raise program_failed(PURPOSE, done.returncode, words)
        return _read(answered.read_bytes(), len(questions))


def _read(answer: bytes, images: int) -> Floats:
    try:
        found = {row["image_id"]: float(row["scores"]["All"]["f"]) for row in json.loads(answer)}
        return np.array([found[place] for place in range(images)])
    except (ValueError, TypeError, KeyError) as error:
        raise JudgeError(
            f"SPICE's answer cannot be read: {type(error).__name__}: {error}.",
            f"Check the jars of {FOLDER_VARIABLE}, and that Java is version 8.",
        ) from error


def _words(caption: str) -> str:
    return " ".join(ptb_tokens(caption))


def _command(equipment: Equipment) -> list[str]:
    folder = coco_folder(PURPOSE, "spice", FILES)
    named = equipment.spice_jars or os.environ.get(FOLDER_VARIABLE)
    jars = Path(named).expanduser().resolve() if named else folder / "lib"
    java = find_java(PURPOSE)
    _check_version(java, jars)  # first, since another Java is got more easily than the jars
    _check_parser(jars)
    classes = os.pathsep.join([str(folder / FILES[0]), str(jars / "*")])
    return [java, MEMORY, *SETTINGS, "-cp", classes, "edu.anu.spice.SpiceScorer"]


def _check_parser(folder: Path) -> None:
    """See that the jars of Stanford CoreNLP are where the user says, or beside SPICE's own."""
    absent = [name for name in PARSER_JARS if not (folder / name).is_file()]
    if absent:
        raise JudgeError(
            f"SPICE needs {' and '.join(absent)} of Stanford CoreNLP 3.6.0, which "
            f"{'is' if len(absent) == 1 else 'are'} not in {str(folder)!r}.",
            "Download stanford-corenlp-full-2015-12-09.zip from Stanford's page of CoreNLP, unpack it, "
            f"and name its folder: --spice-jars FOLDER, or {FOLDER_VARIABLE}=FOLDER",
        )


def _check_version(java: str, jars: Path) -> None:
    """SPICE writes its answer with the JavaScript engine that Java lost in version 15."""
    version = java_version(java)
    if version >= FIRST_JAVA_WITHOUT_JAVASCRIPT and not any(jars.glob("nashorn-core*.jar")):
        raise JudgeError(
            f"SPICE was made for Java 8 and cannot write its scores with Java {version}, "
            "which has no JavaScript engine any more.",
            "Set JAVA_HOME to a Java 8, or put the jars of nashorn-core and of ASM into the folder of --spice-jars.",
        )
