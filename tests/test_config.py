"""A recipe is resolved from defaults, file and overrides; every mistake is named."""

import pytest

from leyenda.config import Recipe, load_recipe, validate_recipe
from leyenda.errors import RecipeError


def test_later_sources_override_earlier_ones(tmp_path):
    file = tmp_path / "recipe.yaml"
    file.write_text("training: {learning_rate: 1e-3, seed: 1}\ndata: {validation: 0.2}\n")
    recipe = load_recipe(
        file, ["training.seed=3"], {"training.seed": 2, "data.source": "x", "model.name": None}
    )
    assert recipe.training == {"learning_rate": 1e-3, "seed": 3}
    assert recipe.data.source == "x"
    assert recipe.data.validation == 0.2
    assert recipe.model.name == "microsoft/git-base"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-5", 1e-5),
        ("1E-05", 1e-5),
        ("2.5e3", 2500.0),
        (".5", 0.5),
        ("-1e-3", -1e-3),
        ("10", 10),
        ("no", False),
    ],
)
def test_numbers_as_people_write_them(text, value):
    assert load_recipe(overrides=[f"training.x={text}"]).training["x"] == value


def test_a_resolved_recipe_reads_back_equal(tmp_path):
    recipe = load_recipe(
        overrides=["training.learning_rate=1e-5", "data.source=niños/fotos", "model.freeze=[image_encoder]"]
    )
    file = tmp_path / "again.yaml"
    file.write_text(recipe.to_yaml(), encoding="utf-8")
    assert load_recipe(file) == recipe
    assert load_recipe() == Recipe()


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"dta": {}}, ["no 'dta'", "Did you mean 'data'?"]),
        ({"data": {"sourc": "x"}}, ["no 'data.sourc'", "Did you mean 'data.source'"]),
        ({"data": {"validation": 2}}, ["'data.validation' is 2", "less than 1"]),
        ({"data": {"captions": "two"}}, ["'data.captions' is 'two'", "'one' or 'all'"]),
        ({"model": {"freeze": ["head"]}}, ["'model.freeze' is 'head'", "image_encoder"]),
        ({"evaluation": {"beams": 0}}, ["'evaluation.beams' is 0", "at least 1"]),
        ({"model": {"precision": "fp8"}}, ["'model.precision' is 'fp8'", "bf16"]),
        ({"data": 3}, ["'data' is 3"]),
    ],
)
def test_each_mistake_is_named(document, words):
    with pytest.raises(RecipeError) as caught:
        validate_recipe(document)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_mistakes_at_once():
    with pytest.raises(RecipeError) as caught:
        validate_recipe({"dta": 1, "model": {"nam": "x"}, "evaluation": {"beams": 0}})
    assert all(word in str(caught.value) for word in ("'dta'", "'model.nam'", "'evaluation.beams'"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: [", "is not YAML"),
        (b"- a\n- b\n", "does not hold names with values"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
    ],
)
def test_broken_files(tmp_path, content, words):
    file = tmp_path / "recipe.yaml"
    file.write_bytes(content)
    with pytest.raises(RecipeError, match=words):
        load_recipe(file)


@pytest.mark.parametrize("override", ["training.seed", "=3", "training.seed.x=1"])
def test_broken_overrides(override):
    with pytest.raises(RecipeError):
        load_recipe(overrides=["training.seed=1", override])


def test_no_such_file():
    with pytest.raises(RecipeError, match=r"no recipe file 'absent\.yaml'"):
        load_recipe("absent.yaml")
