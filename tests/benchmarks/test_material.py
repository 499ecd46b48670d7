"""What the benchmarks work on is what their page says."""

from __future__ import annotations

from pathlib import Path

from benchmarks.material import QUICK, captions, photograph, write_data, write_model


def test_captions_have_about_twelve_tokens(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(write_model(tmp_path, QUICK))
    assert len(tokenizer) == QUICK.vocabulary
    lengths = [len(tokenizer(text)["input_ids"]) for number in range(48) for text in captions(number, 5)]
    assert 11 <= sum(lengths) / len(lengths) <= 13.5


def test_an_image_with_five_captions_has_five_different_ones() -> None:
    assert all(len(set(captions(number, 5))) == 5 for number in range(48))


def test_leyenda_reads_the_data_as_it_is_meant(tmp_path: Path) -> None:
    from leyenda import load_examples

    examples = list(load_examples(write_data(tmp_path / "data", 3, captions_each=5)))
    assert [example.captions for example in examples] == [captions(number, 5) for number in range(3)]


def test_a_photograph_is_as_detailed_as_one(tmp_path: Path) -> None:
    """A camera's JPEG takes about 1 to 4 bits a pixel."""
    path = tmp_path / "photograph.jpg"
    photograph(0, 800, 600).save(path, quality=90)
    assert 1 <= path.stat().st_size * 8 / (800 * 600) <= 4
