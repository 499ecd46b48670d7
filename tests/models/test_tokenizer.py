"""The tokenizer of a new model keeps what people write."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from leyenda.models.tokenizer import LETTERS, train_tokenizer

CAPTIONS = ["Un niño está aquí, ¿no?", "A red dog runs on the grass.", "Ñandúes y pingüinos."] * 3
TOKENIZER = train_tokenizer(CAPTIONS, 400)


def round_trip(text: str) -> str:
    return TOKENIZER.decode(TOKENIZER(text)["input_ids"], skip_special_tokens=True)


def test_captions_it_learned_from_come_back_with_case_and_accents():
    for caption in CAPTIONS:
        assert round_trip(caption).replace(" ", "") == caption.replace(" ", "")
    assert round_trip("Un niño está aquí.") == "Un niño está aquí."


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text([letter for letter in LETTERS if letter.isalpha()], min_size=1, max_size=12), max_size=6)
)
def test_words_it_never_saw_come_back_too(words):
    text = " ".join(words)
    assert TOKENIZER.unk_token_id not in TOKENIZER(text)["input_ids"]
    assert round_trip(text) == text


def test_it_is_of_the_size_asked_for_or_smaller():
    assert len(TOKENIZER) <= 400
    assert TOKENIZER.pad_token_id == 0


def test_it_comes_back_from_disk_as_it_was(tmp_path):
    from transformers import AutoTokenizer

    TOKENIZER.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    text = "Pingüinos ÁÉÍ ¿Qué?"
    assert again(text)["input_ids"] == TOKENIZER(text)["input_ids"]
    assert type(again) is type(TOKENIZER)
