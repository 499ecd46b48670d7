"""The demo model's tokenizer: small, bilingual, keeps case and accents, and can write any Western European word."""

from __future__ import annotations

import string
from collections.abc import Iterable
from typing import Any

from leyenda.quickstart.everyday_words import everyday_words

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
ACCENTED = "áéíóúüñàèìòùâêîôûäëïöçãõåæøœß"
SIGNS = "¿¡«»“”‘’–—…€£°ºª"
LETTERS = string.ascii_letters + string.digits + ACCENTED + ACCENTED.upper()
"""Every one is a piece of its own, at the start of a word and inside it, so that no word is unknown."""


def train_tokenizer(captions: Iterable[str], *, vocabulary: int = 2400, max_length: int = 64) -> Any:
    """Train a WordPiece tokenizer on captions and on the words of picture books.

    Args:
        captions: texts whose words become pieces too, in any language written in Latin letters.
        vocabulary: how many pieces it has at most, letters and special tokens included.
        max_length: the longest caption, in tokens, that the model it is for can write.

    Returns:
        A `transformers` tokenizer that frames a caption as `[CLS] ... [SEP]`.
    """
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertTokenizer

    singles = [*string.punctuation, *SIGNS, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    words = everyday_words()
    pieces = BertWordPieceTokenizer(lowercase=False, strip_accents=False)
    pieces.train_from_iterator(
        [*captions, *_often(words)],
        vocab_size=vocabulary - len(singles),
        special_tokens=list(SPECIAL_TOKENS),
        show_progress=False,
    )
    learnt = sorted(pieces.get_vocab(), key=pieces.get_vocab().__getitem__)
    ids = {piece: number for number, piece in enumerate(dict.fromkeys([*learnt, *singles]))}
    return BertTokenizer(vocab=ids, do_lower_case=False, strip_accents=False, model_max_length=max_length)


def _often(words: list[str]) -> list[str]:
    """The words so many times over that each becomes a piece before rarer parts of words do."""
    return [" ".join([word] * 20) for word in words]
