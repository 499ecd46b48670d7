"""METEOR against the official evaluation, and against captions that nobody thought of."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fakes.captions import HYPOTHESES, REFERENCES

from leyenda.errors import JudgeError, MissingExtra
from leyenda.judges import judge, meteor
from leyenda.judges.coco_jars import coco_folder
from leyenda.judges.java_process import JavaProcess
from leyenda.metrics.corpus import Corpus

pytestmark = pytest.mark.usefixtures("java")


def scored(hypotheses, references):
    scores = judge(["meteor"], hypotheses, references)
    assert scores.images == len(hypotheses)
    return scores.values["meteor"], scores.per_image["meteor"]


@pytest.mark.parametrize("name", ["hard-cases", "coco-1000"])
def test_scores_equal_the_official_evaluation_over_all_and_image_by_image(name, shared):
    oracle = json.loads((shared / "oracle" / f"{name}.json").read_text(encoding="utf-8"))
    corpora = [oracle, *oracle.get("mini_corpora", [])]
    assert len(corpora) == (12 if name == "hard-cases" else 1)
    for corpus in corpora:
        value, per_image = scored(corpus["hypotheses"], corpus["references"])
        assert value == pytest.approx(corpus["scores"]["METEOR"], abs=1e-9)
        for image, expected in corpus["per_image"].items():
            assert per_image[image] == pytest.approx(dict(expected)["METEOR"], abs=1e-9), image


def test_word_forms_synonyms_and_paraphrases_count():
    same, stem, synonym, paraphrase, other = (
        scored({"x": caption}, {"x": ["a photo of a large dog"]})[0]
        for caption in (
            "a photo of a large dog",
            "a photo of a large dogs",
            "a photo of a big dog",
            "a picture of a large dog",
            "three green parrots shout",
        )
    )
    assert same == 1.0
    assert other == 0.0
    assert 0.7 < stem < synonym < 1.0  # METEOR trusts a synonym more than a word form
    assert 0.7 < paraphrase < 1.0


ODD = [
    "",
    " ",
    "|||",
    "a ||| b",
    "SCORE ||| a",
    "EVAL",
    "a\nb\r\nc\x0bd\u2028e",
    "\x00",
    "\ud800",
    "👍🏽",
    "¿?",
    "a" * 5_000,
    "a dog " * 20,
]


def test_odd_captions_neither_shift_nor_stop_the_others():
    hypotheses = {f"odd {place}": text for place, text in enumerate(ODD)} | {"plain": "a dog runs"}
    references = {image: [text, "a dog"] for image, text in hypotheses.items()}
    references["plain"] = ["a dog runs", *ODD]
    value, per_image = scored(hypotheses, references)
    assert per_image["plain"] == 1.0
    assert 0 < value <= 1
    assert per_image["odd 0"] == 0.0
    alone = {
        image: scored({image: text}, {image: references[image]})[0] for image, text in hypotheses.items()
    }
    assert alone == pytest.approx(per_image, abs=1e-12)


captions = st.text(max_size=30) | st.lists(
    st.sampled_from(["a", "dog", "|||", "\n", "dogs", "."]), max_size=8
).map(" ".join)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(captions, st.lists(captions, min_size=1, max_size=3)), min_size=1, max_size=4))
def test_any_captions_get_scores_between_0_and_1_in_any_order(pairs):
    hypotheses = {str(place): caption for place, (caption, _) in enumerate(pairs)}
    references = {str(place): texts for place, (_, texts) in enumerate(pairs)}
    value, per_image = scored(hypotheses, references)
    assert all(0.0 <= score <= 1.0 for score in [value, *per_image.values()])
    turned, turned_per_image = scored(dict(reversed(hypotheses.items())), references)
    assert turned == pytest.approx(value, abs=1e-12)
    assert turned_per_image == per_image


def test_any_set_of_images_is_scored_from_its_sums():
    corpus = Corpus.checked(HYPOTHESES, REFERENCES)
    measured = meteor.meteor(corpus, None)
    drawn = ["b.png", "c.png"]
    places = [corpus.ids.index(image) for image in drawn]
    value, _ = scored({i: HYPOTHESES[i] for i in drawn}, {i: REFERENCES[i] for i in drawn})
    sums = measured.statistics.rows[places].sum(axis=0)
    assert measured.statistics.combine(sums) == pytest.approx(value, abs=1e-12)
    assert measured.statistics.combine(np.stack([sums, sums])).shape == (2,)


def test_a_program_that_died_is_named_once_and_then_started_anew(java, monkeypatch):
    started = []

    def quickly():
        command = [java, "-jar", "meteor-1.5.jar", "-", "-", "-stdio", "-l", "en", "-m", "exact"]
        started.append(JavaProcess("METEOR", command, coco_folder("METEOR", "meteor", ())))
        return started[-1]

    monkeypatch.setattr(meteor, "_started", quickly)
    monkeypatch.setattr(meteor, "_PROGRAM", meteor._Program())
    first = scored(HYPOTHESES, REFERENCES)
    assert scored(HYPOTHESES, REFERENCES) == first
    assert len(started) == 1
    ask = JavaProcess.ask

    def killed_on_the_way(self, lines):
        os.kill(self.pid, signal.SIGKILL)
        return ask(self, lines)

    with monkeypatch.context() as change:
        change.setattr(JavaProcess, "ask", killed_on_the_way)
        with pytest.raises(JudgeError, match="METEOR ended before it was done"):
            scored(HYPOTHESES, REFERENCES)
    assert scored(HYPOTHESES, REFERENCES) == first
    assert len(started) == 2
    started[-1].close()


def test_without_the_jars_the_message_says_what_to_install(monkeypatch, tmp_path):
    from importlib import metadata

    from leyenda.judges import coco_jars

    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(coco_jars, "distribution", absent)
    with pytest.raises(MissingExtra, match=r'METEOR needs an optional part.*pip install "leyenda\[java\]"'):
        scored(HYPOTHESES, REFERENCES)


def test_a_file_that_lacks_is_named_since_meteor_would_do_without(monkeypatch, tmp_path):
    from types import SimpleNamespace

    from leyenda.judges import coco_jars

    (tmp_path / "meteor-1.5.jar").write_bytes(b"")
    monkeypatch.setattr(
        coco_jars, "distribution", lambda name: SimpleNamespace(locate_file=lambda _: tmp_path)
    )
    with pytest.raises(JudgeError, match=r"METEOR needs 'data/paraphrase-en\.gz', which is not in"):
        scored(HYPOTHESES, REFERENCES)
