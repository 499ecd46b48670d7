"""SPICE with a stand-in for its program, whose parser no package carries; and the real jar as far as it gets."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from tests.fakes.captions import HYPOTHESES, REFERENCES

from leyenda.errors import JudgeError
from leyenda.judges import judge
from leyenda.judges.coco_jars import coco_folder
from leyenda.judges.spice import FOLDER_VARIABLE, PARSER_JARS

# As the real one does, it reads a list of captions and writes a list of scores; its F-score is one of words.
STAND_IN = f"""#!{sys.executable}
import json, sys
if "-version" in sys.argv:
    print('openjdk version "VERSION"', file=sys.stderr)
    sys.exit()
here = sys.argv.index("edu.anu.spice.SpiceScorer")
assert sys.argv[here - 2] == "-cp" and "-Xmx8G" in sys.argv
classes = sys.argv[here - 1].split(":")
assert classes[0].endswith("spice-1.0.jar") and classes[1].endswith("jars/*"), classes
captions, out, answer, silent = sys.argv[here + 1:]
assert (out, silent) == ("-out", "-silent")
scores = []
for row in reversed(json.load(open(captions))):
    said, others = set(row["test"].split()), {{word for text in row["refs"] for word in text.split()}}
    both = len(said & others)
    f = 2 * both / (len(said) + len(others)) if both else 0.0
    scores.append({{"image_id": row["image_id"], "scores": {{"All": {{"f": f, "pr": 0.0, "re": 0.0}}}}}})
ANSWER
"""
WRITES = 'json.dump(scores, open(answer, "w"))'
FAILS = (
    'sys.exit("Exception in thread main java.lang.NoClassDefFoundError: edu/stanford/nlp/Thing\\n\\tat x")'
)
NOT_SCORES = 'json.dump({"image_id": 1}, open(answer, "w"))'


@pytest.fixture
def parser(tmp_path):
    """A folder with jars of the right names."""
    folder = tmp_path / "jars"
    folder.mkdir()
    for name in PARSER_JARS:
        (folder / name).write_bytes(b"PK\x05\x06" + bytes(18))  # an empty archive
    return folder


@pytest.fixture
def stand_in(tmp_path, monkeypatch, java):
    def put(answer=WRITES, version="1.8.0_402"):
        program = tmp_path / "home" / "bin" / "java"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(STAND_IN.replace("ANSWER", answer).replace("VERSION", version))
        program.chmod(0o755)
        monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))

    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    return put


def scored(jars, hypotheses=HYPOTHESES, references=REFERENCES):
    return judge(["spice"], hypotheses, references, spice_jars=jars)


def test_tokens_go_out_and_scores_come_back_to_their_images(stand_in, parser):
    stand_in()
    hypotheses = {"x": "A dog, a 'cat'!", "y": "", "z": 'two\n"birds" ¿niño?'}
    references = {"x": ["the dog."], "y": ["a dog"], "z": ["Two birds", "a niño"]}
    scores = scored(parser, hypotheses, references)
    # x: {a, dog, cat} and {the, dog}; z: {two, birds, ¿niño or niño ...} as the tokenizer has it.
    assert scores.per_image["spice"]["x"] == pytest.approx(2 * 1 / (3 + 2))
    assert scores.per_image["spice"]["y"] == 0.0
    assert 0.5 < scores.per_image["spice"]["z"] < 1.0
    assert scores.values["spice"] == pytest.approx(sum(scores.per_image["spice"].values()) / 3)
    assert "CoreNLP 3.6.0" in scores.normalization["spice"]


def test_the_folder_of_jars_may_be_named_once_for_all(stand_in, parser, monkeypatch):
    stand_in()
    monkeypatch.setenv(FOLDER_VARIABLE, str(parser))
    assert scored(None).values == scored(parser).values


def test_nothing_is_left_behind(stand_in, parser, tmp_path, monkeypatch):
    stand_in()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = set(Path(tmp_path).rglob("*"))
    scored(parser)
    assert set(Path(tmp_path).rglob("*")) == before


def test_a_program_that_fails_is_named_with_its_reason(stand_in, parser):
    stand_in(FAILS)
    with pytest.raises(JudgeError, match=r"SPICE ended before it was done \(exit code 1\): .*nlp/Thing"):
        scored(parser)


def test_an_answer_that_holds_no_scores_is_named(stand_in, parser):
    stand_in(NOT_SCORES)
    with pytest.raises(JudgeError, match="SPICE's answer cannot be read"):
        scored(parser)


def test_jars_that_are_absent_are_named_with_where_to_get_them(stand_in, parser):
    stand_in()
    with pytest.raises(
        JudgeError, match=r"stanford-corenlp-3\.6\.0\.jar and stanford-corenlp-3\.6\.0-models\.jar"
    ):
        scored(None)
    (parser / PARSER_JARS[1]).unlink()
    with pytest.raises(JudgeError, match=r"needs stanford-corenlp-3\.6\.0-models\.jar.*--spice-jars FOLDER"):
        scored(parser)


def test_a_java_without_javascript_is_refused_before_an_hour_of_parsing(stand_in, parser):
    stand_in(version="17.0.15")
    with pytest.raises(JudgeError, match=r"cannot write its scores with Java 17.*Set JAVA_HOME to a Java 8"):
        scored(parser)
    (parser / "nashorn-core-15.4.jar").write_bytes(b"")
    assert scored(parser).values["spice"] > 0


def test_the_official_program_starts_and_misses_its_parser(java, parser, monkeypatch):
    """The real jar, in the real Java, with a CoreNLP too old and too small: it gets as far as that."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    old = coco_folder("SPICE", "tokenizer", ("stanford-corenlp-3.4.1.jar",)) / "stanford-corenlp-3.4.1.jar"
    shutil.copy(old, parser / PARSER_JARS[0])
    (parser / "nashorn-core-none.jar").write_bytes(b"PK\x05\x06" + bytes(18))
    with pytest.raises(
        JudgeError, match=r"SPICE ended before it was done \(exit code 1\): .*edu[/.]stanford"
    ):
        scored(parser)
