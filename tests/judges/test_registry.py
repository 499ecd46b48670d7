"""The one door to every judge: what there is, what each needs, and what is said when it is not there."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.fakes.captions import HYPOTHESES, REFERENCES

from leyenda.errors import JudgeError, LeyendaError, ScoreError
from leyenda.judges import JUDGES, Equipment, check, judge, measurements
from leyenda.metrics import METRICS
from leyenda.metrics.chair import ObjectTerms, chair_metrics
from leyenda.metrics.corpus import Corpus
from leyenda.metrics.meanings import LOWER_IS_BETTER, MEANINGS


def test_names_are_those_of_the_field_and_none_is_a_metric_too():
    assert list(JUDGES) == [
        "meteor",
        "spice",
        "clip_score",
        "ref_clip_score",
        "sentence_similarity",
        "perplexity",
        "perplexity_per_word",
    ]
    assert not JUDGES.keys() & METRICS.keys()
    for name, each in JUDGES.items():
        assert each.name == name
        assert each.english.endswith(".")
        assert each.spanish.endswith(".")
        assert each.english != each.spanish


def test_an_unknown_judge_is_an_error_that_names_near_ones():
    with pytest.raises(ScoreError, match=r"There is no judge 'clip_scor'\. Did you mean .*'clip_score'"):
        judge(["clip_scor"], HYPOTHESES, REFERENCES)


def test_all_that_is_absent_is_said_at_once_and_before_anything_is_loaded():
    names = ["clip_score", "ref_clip_score", "sentence_similarity", "perplexity"]
    with pytest.raises(JudgeError) as error:
        check(names, Equipment(clip_model="nowhere/at-all"))
    said = str(error.value)
    assert "clip_score and ref_clip_score need the pictures" in said
    assert "sentence_similarity needs a text encoder: --sentence-model NAME" in said
    assert "perplexity needs a causal language model: --language-model NAME" in said
    assert "\n" not in said
    check(names, Equipment({}, "nowhere/at-all", "nowhere/a", "nowhere/b"))  # names alone; nothing is loaded


def test_java_that_is_absent_is_said_among_the_rest(monkeypatch, tmp_path, java):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(JudgeError, match=r"perplexity needs .*METEOR needs Java"):
        check(["meteor", "perplexity"], Equipment())
    with pytest.raises(JudgeError, match=r"^METEOR needs Java"):
        check(["meteor"], Equipment())


def test_ids_that_do_not_fit_are_errors_as_with_every_metric(gpt2):
    with pytest.raises(ScoreError, match=r"1 image has no generated caption: 'c\.png'"):
        judge(["perplexity"], {"a.png": "a", "b.png": "b"}, REFERENCES, language_model=gpt2)
    with pytest.raises(ScoreError, match="nothing to score"):
        judge(["perplexity"], {}, {}, language_model=gpt2)


@pytest.mark.parametrize("size", [0, -1, True, 1.5])
def test_a_batch_size_that_makes_no_sense_is_refused(size, gpt2):
    with pytest.raises(LeyendaError, match="The batch size is"):
        judge(["perplexity"], HYPOTHESES, REFERENCES, language_model=gpt2, batch_size=size)


def test_every_model_judges_once_through_one_door(clip, bert, gpt2, pictures, monkeypatch):
    from leyenda.models import loading

    loads = []
    load = loading.load_parts
    monkeypatch.setattr(
        loading, "load_parts", lambda name, *a, **k: loads.append(name) or load(name, *a, **k)
    )
    names = [name for name, each in JUDGES.items() if each.needs]
    equipment = Equipment(pictures, clip, bert, gpt2)
    corpus = Corpus.checked(HYPOTHESES, REFERENCES)
    found = measurements(names, corpus, equipment)
    assert list(found) == names
    assert loads == [clip, bert, gpt2]
    scores = judge(
        names, HYPOTHESES, REFERENCES, pictures, clip_model=clip, sentence_model=bert, language_model=gpt2
    )
    for name, measurement in found.items():
        sums = measurement.statistics.rows.sum(axis=0)
        assert measurement.statistics.combine(sums) == pytest.approx(measurement.value)
        assert scores.values[name] == measurement.value
        assert scores.per_image[name] == dict(zip(HYPOTHESES, measurement.per_image, strict=True))
        assert scores.normalization[name]


def test_importing_judges_loads_no_model_library():
    code = "import sys, leyenda.judges; print([name for name in ('torch', 'transformers') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_directions_are_those_that_reports_show():
    chair = {each.name: each for each in chair_metrics(ObjectTerms.of({"dog": []}))}
    directions = {name: each.direction for name, each in {**METRICS, **JUDGES, **chair}.items()}
    assert {name for name, way in directions.items() if way == "lower"} == LOWER_IS_BETTER
    assert MEANINGS.keys() == directions.keys()


def test_too_little_memory_is_said_with_the_size_to_try(gpt2, monkeypatch):
    from leyenda.judges.fluency import LanguageModel

    def too_much(self, texts):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(LanguageModel, "_measured", too_much)
    with pytest.raises(JudgeError, match="Use a batch size below 3"):
        judge(["perplexity"], HYPOTHESES, REFERENCES, language_model=gpt2)
