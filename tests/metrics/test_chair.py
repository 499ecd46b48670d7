"""Object hallucination, by the paper's definition (Rohrbach et al. 2018, arXiv:1809.02156, section 3)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leyenda.errors import ScoreError
from leyenda.metrics.chair import ObjectTerms, chair, read_annotations

SYNONYMS = """
# Written for this test, in the form of the paper's file.
person, man, woman, child
dog, puppy, puppy
hot dog, hotdog
dining table, table, desk
bus,  minibus,
knife
bowl, wine glass
! dog house, table tennis
"""


@pytest.fixture
def terms(tmp_path: Path) -> ObjectTerms:
    path = tmp_path / "synonyms.txt"
    path.write_text(SYNONYMS, encoding="utf-8")
    return ObjectTerms.read(path)


@pytest.mark.parametrize(
    ("caption", "objects"),
    [
        ("A MAN eats a hot dog.", ["person", "hot dog"]),
        ("Two hot dogs, a dog and puppies", ["hot dog", "dog", "dog"]),
        ("women and children near buses", ["person", "person", "bus"]),
        ("knives on a dining table", ["knife", "dining table"]),
        ("a dog house", []),
        ("the dog's house", ["dog"]),
        ("a hot dog house", ["hot dog"]),
        ("they play table tennis at a table", ["dining table"]),
        ("wine-glasses", ["bowl"]),
        ("policemen mandate a tablet", []),
        ("", []),
        ("...", []),
    ],
)
def test_objects_that_a_caption_names(terms: ObjectTerms, caption: str, objects: list[str]) -> None:
    assert list(terms.named_in(caption)) == objects


def test_the_definition_by_hand(terms: ObjectTerms) -> None:
    """CHAIRi = hallucinated objects / objects mentioned; CHAIRs = sentences with one / sentences."""
    hypotheses = {
        "1": "a man with a dog at a table",  # the table is not there: 1 of 3
        "2": "a bus and another bus",  # both mentions are wrong: 2 of 2
        "3": "a puppy on a desk",  # synonyms of what the references name: 0 of 2
        "4": "a sunset",  # nothing named: 0 of 0
    }
    references = {
        "1": ["a woman walks her puppy", "somebody outside"],
        "2": ["a car"],
        "3": ["a dog", "the table is brown"],
        "4": ["evening"],
    }
    found = chair(hypotheses, terms, references=references)
    assert found.chair_i == pytest.approx(3 / 7)
    assert found.chair_s == pytest.approx(2 / 4)
    assert found.invented == {"1": ("dining table",), "2": ("bus", "bus"), "3": (), "4": ()}
    assert found.scores.values == {"chair_i": found.chair_i, "chair_s": found.chair_s}
    assert found.scores.per_image["chair_i"] == pytest.approx({"1": 1 / 3, "2": 1.0, "3": 0.0, "4": 0.0})
    assert found.scores.per_image["chair_s"] == {"1": 1.0, "2": 1.0, "3": 0.0, "4": 0.0}
    assert "present: references" in found.normalization


def test_annotations_count_beside_references(terms: ObjectTerms) -> None:
    hypotheses = {"1": "a man at a table", "2": "a dog"}
    references = {"1": ["a man"], "2": ["an animal"]}
    annotations = {"1": ["desk"], "2": []}
    assert chair(hypotheses, terms, references=references).chair_i == pytest.approx(2 / 3)
    assert chair(hypotheses, terms, annotations=annotations).chair_i == pytest.approx(2 / 3)
    both = chair(hypotheses, terms, references=references, annotations=annotations)
    assert both.chair_i == pytest.approx(1 / 3)
    assert both.present["1"] == {"person", "dining table"}
    assert "references and annotations" in both.normalization


def test_annotations_in_both_forms(tmp_path: Path) -> None:
    simple = tmp_path / "simple.json"
    simple.write_text(json.dumps({"a.jpg": ["dog", "dog"], "b.jpg": []}))
    assert read_annotations(simple) == {"a.jpg": ("dog", "dog"), "b.jpg": ()}
    coco = tmp_path / "instances.json"
    coco.write_text(
        json.dumps(
            {
                "images": [{"id": 7, "file_name": "a.jpg"}, {"id": 8, "file_name": "b.jpg"}],
                "annotations": [{"image_id": 7, "category_id": 18}, {"image_id": 7, "category_id": 1}],
                "categories": [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}],
            }
        )
    )
    found = read_annotations(coco)
    assert found["a.jpg"] == found["a"] == found["7"] == ("dog", "person")
    assert found["b.jpg"] == ()


@pytest.mark.parametrize(
    "content", ["[]", "{", '{"a": "dog"}', '{"a": [1]}', '{"images": [], "annotations": 3, "categories": []}']
)
def test_other_annotations_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "odd.json"
    path.write_text(content)
    with pytest.raises(ScoreError, match=r"odd\.json"):
        read_annotations(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no objects to look for"),
        ("dog\n, ,\n", "synonyms.txt:2: the line names no object"),
        ("dog, pup\ncat, PUP\n", "'pup' stands for two things, 'dog' and 'cat'"),
        ("dog\n! dog\n", "'dog' stands for two things"),
        ("dog, ...\n", "'...' of 'dog' has no letters"),
    ],
)
def test_a_synonym_file_that_does_not_fit_is_explained(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "synonyms.txt"
    path.write_text(content)
    with pytest.raises(ScoreError) as caught:
        ObjectTerms.read(path)
    assert message in str(caught.value)
    assert "synonyms.txt" in str(caught.value)


def test_what_is_missing_is_listed(terms: ObjectTerms, tmp_path: Path) -> None:
    captions = {"1": "a dog", "2": "a cat"}
    with pytest.raises(ScoreError, match="no references: '2'"):
        chair(captions, terms, references={"1": ["a dog"]})
    with pytest.raises(ScoreError, match="have no annotations: '2'"):
        chair(captions, terms, annotations={"1": ["dog"]})
    with pytest.raises(ScoreError, match="Nothing says which objects"):
        chair(captions, terms)
    with pytest.raises(ScoreError, match="object 'zebra' that the synonym file does not know"):
        chair(captions, terms, annotations={"1": ["zebra"], "2": []})
    with pytest.raises(ScoreError, match="nothing to score"):
        chair({}, terms, annotations={})
    with pytest.raises(ScoreError, match="cannot be read"):
        ObjectTerms.read(tmp_path / "absent.txt")


TEXT = st.lists(st.sampled_from(["a", "dog", "hot", "man", "table", "tennis", "!"]), max_size=6).map(" ".join)


@given(st.dictionaries(st.sampled_from("abcd"), st.tuples(TEXT, TEXT), min_size=1))
def test_rates_are_rates_and_a_reference_invents_nothing(images: dict[str, tuple[str, str]]) -> None:
    terms = ObjectTerms.of({"dog": (), "hot dog": (), "man": (), "table": ()}, ["table tennis"])
    references = {image: [wanted] for image, (_, wanted) in images.items()}
    found = chair({image: said for image, (said, _) in images.items()}, terms, references=references)
    assert 0 <= found.chair_i <= 1
    assert 0 <= found.chair_s <= 1
    own = chair({image: texts[0] for image, texts in references.items()}, terms, references=references)
    assert own.chair_i == own.chair_s == 0.0
    for image, (said, wanted) in images.items():
        alone = chair({image: said}, terms, references={image: [wanted]})
        assert alone.chair_i == found.scores.per_image["chair_i"][image]
        assert alone.chair_s == found.scores.per_image["chair_s"][image]
