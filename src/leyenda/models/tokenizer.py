"""A tokenizer for a new model, trained on its captions; it keeps case and accents."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterable
from typing import Any

LETTERS = string.printable.strip() + "áéíóúüñÁÉÍÓÚÜÑçÇàèìòùâêîôûäëïößÀÈÌÒÙÂÊÎÔÛÄËÏÖãõÃÕ¿¡«»“”‘’–—…°€£"
"""Characters that are always representable, whether the captions contain them or not."""

_MOST_CHARACTERS = 2000

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def train_tokenizer(captions: Iterable[str], vocabulary_size: int = 8000, min_frequency: int = 2) -> Any:
    """A WordPiece tokenizer (Schuster and Nakajima 2012) of the class that GIT's own checkpoints use.

    Args:
        captions: the texts to learn word pieces from.
        vocabulary_size: most pieces to learn, special tokens included.
        min_frequency: pairs rarer than this are not merged.

    Returns:
        A `transformers.BertTokenizer` that neither lower-cases nor strips accents; for the same captions
        always the same one.

    >>> tokenizer = train_tokenizer(["Un niño está aquí."] * 2, 300)
    >>> tokenizer.decode(tokenizer("Un niño está aquí.")["input_ids"], skip_special_tokens=True)
    'Un niño está aquí.'
    """
    from tokenizers.implementations import BertWordPieceTokenizer
    from transformers import BertTokenizer

    texts = list(captions)
    trainer = BertWordPieceTokenizer(lowercase=False, strip_accents=False)
    trainer.train_from_iterator(
        [*texts, *LETTERS],
        vocab_size=vocabulary_size,
        min_frequency=min_frequency,
        limit_alphabet=_MOST_CHARACTERS,
        # Named here, the pieces inside words get their ids in this order. Left to the trainer they get them in the
        # order of a hash table, which differs from process to process, and so would every tie between merges.
        special_tokens=[*SPECIAL_TOKENS, *(f"##{character}" for character in _characters(texts))],
        show_progress=False,
    )
    vocabulary = dict(sorted(trainer.get_vocab().items(), key=lambda piece: piece[1]))
    return BertTokenizer(vocab=vocabulary, do_lower_case=False, strip_accents=False)


def _characters(texts: Iterable[str]) -> list[str]:
    """The letters and digits that can stand inside a word: the commonest in the texts, and `LETTERS`."""
    counted = Counter(character for text in texts for character in text if character.isalnum())
    commonest = sorted(counted, key=lambda character: (-counted[character], character))[:_MOST_CHARACTERS]
    return sorted({*commonest, *(letter for letter in LETTERS if letter.isalnum())})
