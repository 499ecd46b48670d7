from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from huggingface_hub import ModelCard
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tests.fakes.run_folder import scores

from leyenda.errors import RunError
from leyenda.sharing.finished_run import read_run
from leyenda.sharing.language import language_of
from leyenda.sharing.markdown import fenced, inline
from leyenda.sharing.model_card import render_card

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def model_card(run: Path, **said: str) -> str:
    return render_card(read_run(run), **said)


def change_recipe(run: Path, **parts: dict[str, object]) -> None:
    recipe = yaml.safe_load((run / "recipe.yaml").read_text())
    for part, values in parts.items():
        recipe[part] = recipe.get(part, {}) | values
    (run / "recipe.yaml").write_text(yaml.safe_dump(recipe))


def write_predictions(run: Path, *pairs: tuple[str, str]) -> None:
    lines = [json.dumps({"id": "x", "caption": said, "references": [wrote]}) for said, wrote in pairs]
    (run / "predictions.jsonl").write_text("\n".join(lines))


def code_blocks(card: str) -> dict[str, str]:
    """First word of a block of code -> its text."""
    return {
        token.content.split()[0]: token.content for token in MARKDOWN.parse(card) if token.type == "fence"
    }


def test_the_hub_s_own_reader_understands_the_metadata(run_folder: Path, tmp_path: Path):
    file = tmp_path / "README.md"
    file.write_text(model_card(run_folder, repo_id="ana/birds", license_id="apache-2.0"))
    data = ModelCard.load(file).data
    assert (data.library_name, data.pipeline_tag) == ("transformers", "image-to-text")
    assert (data.license, data.language, data.base_model) == ("apache-2.0", "en", "microsoft/git-base")
    assert "image-captioning" in data.tags
    assert data.model_name == "birds"
    results = {result.metric_type: result for result in data.eval_results}
    assert {name: result.metric_value for name, result in results.items()} == {
        "wer": 0.4,
        "rougeL": 0.6,
        "distinct": 0.5,
    }
    assert (results["wer"].dataset_name, results["wer"].dataset_split) == ("birds", "test")


def test_scores_stand_beside_both_controls_and_the_base_with_their_normalisation(run_folder: Path):
    card = model_card(run_folder)
    rows = [
        [cell.strip() for cell in line.split(" | ")] for line in card.splitlines() if line.startswith("| ")
    ]
    table = {row[0].removeprefix("| "): row[1:] for row in rows}
    assert table["score"] == ["this model", "constant", "shuffled", "before training", "text normalisation |"]
    assert table["wer"] == ["0.400", "0.900", "1.100", "1.400", r"lower case \| no punctuation |"]
    assert table["distinct"][:4] == ["0.500", "–", "–", "0.500"]
    assert "20 pictures of the test split (1 more could not be scored)" in card
    assert "no better than a control" not in card
    assert table["train"] == ["160 |"]


def test_a_model_that_a_control_beats_says_so(run_folder: Path):
    (run_folder / "metrics.json").write_text(json.dumps({"tuned": scores("m", wer=0.95, rouge=0.25)}))
    card = model_card(run_folder)
    assert "no better than a control in wer, rougeL." in card
    assert "before training" not in card


def test_examples_are_spread_over_the_test_split(run_folder: Path):
    card = model_card(run_folder)
    assert [f"a bird number {i} |" in card for i in range(12)] == [i in (0, 2, 4, 6, 8) for i in range(12)]


@pytest.mark.parametrize(
    ("model", "base", "told"),
    [
        (
            {"name": "Salesforce/blip-image-captioning-base"},
            "Salesforce/blip-image-captioning-base",
            "fine-tuned from Sal",
        ),
        ({"name": "demo"}, None, "demonstration model"),
        ({"name": "/home/ana/models/old"}, None, "the local model “old”"),
        ({"from_scratch": "small"}, None, "trained from scratch (size small)"),
    ],
)
def test_where_the_model_comes_from(run_folder: Path, model: dict[str, object], base: str | None, told: str):
    change_recipe(run_folder, model=model)
    card = model_card(run_folder)
    assert ModelCard(card).data.get("base_model") == base
    assert told in card


def test_data_from_the_hub_is_named_in_the_metadata_and_data_from_here_is_not(run_folder: Path):
    assert ModelCard(model_card(run_folder)).data.get("datasets") is None
    change_recipe(run_folder, data={"source": "bob/boats", "revision": "v2"})
    card = model_card(run_folder)
    assert ModelCard(card).data.datasets == ["bob/boats"]
    assert "data set bob/boats, revision v2" in card


def test_no_path_of_this_machine_and_no_secret_is_in_the_card(run_folder: Path):
    card = model_card(run_folder, repo_id="ana/birds")
    assert "hf_very_secret" not in card
    assert "/home/ana" not in card
    assert str(run_folder) not in card


def test_spanish_captions_make_a_spanish_card(run_folder: Path):
    write_predictions(run_folder, ("un pájaro en la rama", "el pájaro rojo está en una rama del árbol"))
    assert ModelCard(model_card(run_folder)).data.language == "es"
    assert ModelCard(model_card(run_folder, language="ca")).data.language == "ca"


def test_a_language_that_is_not_clear_is_left_out(run_folder: Path):
    write_predictions(run_folder, ("ein Vogel", "ein roter Vogel auf einem Ast"))
    assert ModelCard(model_card(run_folder)).data.get("language") is None
    assert language_of([]) is None


def test_captions_and_names_are_shown_and_never_obeyed(run_folder: Path):
    hostile = "<script>alert(1)</script> | [x](http://evil) ![y](z) </details> # *b* `c`"
    write_predictions(run_folder, (hostile, hostile + "\n---\nlicense: stolen\n"))
    change_recipe(run_folder, data={"source": hostile + "\n```\n<script>"}, model={"name": hostile})
    card = model_card(run_folder, repo_id="ana/birds")
    assert ModelCard(card).data.license == "unknown"
    tokens = MARKDOWN.parse(card.split("---\n", 2)[2])
    html = "".join(token.content for token in tokens if token.type == "html_block")
    inner = [child for token in tokens for child in token.children or []]
    assert "script" not in html
    assert not {"html_inline", "link_open", "image"} & {child.type for child in inner}
    shown = "".join(child.content for child in inner if child.type == "text")
    assert "<script>alert(1)</script> | [x](http://evil)" in shown


@given(st.text())
def test_inline_shows_exactly_the_text(text: str):
    tokens = MARKDOWN.parse(f"| a | b |\n|---|---|\n| x | “{inline(text)}” |\n")
    cells = [token for token in tokens if token.type == "inline"]
    assert len(cells) == 4
    assert {child.type for child in cells[3].children or []} <= {"text", "text_special"}
    shown = "".join(child.content for child in cells[3].children or [])
    assert shown == f"“{' '.join(text.split())}”".replace("\0", "�")


@given(st.text(alphabet="`~ab\n"))
def test_a_fence_holds_its_text(text: str):
    tokens = MARKDOWN.parse(fenced(text, "yaml") + "\n\nafter")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert tokens[0].content == text.rstrip() + "\n"


def test_a_card_of_one_s_own_is_not_mixed_with_arguments(run_folder: Path):
    (run_folder / "README.md").write_text("# mine\n")
    assert model_card(run_folder) == "# mine\n"
    with pytest.raises(RunError, match="a card of your own"):
        model_card(run_folder, license_id="mit")


def test_an_empty_card_is_no_card(run_folder: Path):
    # `leyenda push RUN REPO --dry-run > RUN/README.md` makes the file before leyenda looks for one.
    (run_folder / "README.md").touch()
    assert "# birds-run" in model_card(run_folder)


def test_the_kind_of_model_decides_the_snippet(run_folder: Path):
    assert "AutoModelForCausalLM" in code_blocks(model_card(run_folder))["from"]
    config = run_folder / "model" / "config.json"
    config.write_text(config.read_text().replace('"model_type": "git"', '"model_type": "blip"', 1))
    assert "AutoModelForImageTextToText" in model_card(run_folder)


def test_the_snippets_search_as_the_scores_were_computed(run_folder: Path):
    assert "beams" not in model_card(run_folder)[: model_card(run_folder).index("## Data")]
    change_recipe(run_folder, evaluation={"beams": 3, "max_length": 12})
    card = model_card(run_folder)
    assert ", beams=3, max_length=12)" in card
    assert "max_new_tokens=12, num_beams=3)" in card
