"""A tokenizer for a new model, trained on its captions; it keeps case and accents."""

from __future__ import annotations

import string
from collections.abc import Iterable
from typing import Any

LETTERS = string.printable.strip() + "áéíóúüñÁÉÍÓÚÜÑçÇàèìòùâêîôûäëïößÀÈÌÒÙÂÊÎÔÛÄËÏÖãõÃÕ¿¡«»“”‘’–—…°€£"
"""Characters that are always representable, whether the captions contain them or not."""

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def train_tokenizer(captions: Iterable[str], vocabulary_size: int = 8000, min_frequency: int = 2) -> Any:
    """A WordPiece tokenizer (Schuster and Nakajima 2012) of the class that GIT's own checkpoints use.

    Args:
        captions: the texts to learn word pieces from.
        vocabulary_size: most pieces to learn, special tokens included.
        min_frequency: pairs rarer than this are not merged.

    Returns:
        A `transformers.BertTokenizer` that neither lower-cases nor strips accents.

    >>> tokenizer = train_tokenizer(["Un niño está aquí."] * 2, 300)
    >>> tokenizer.decode(tokenizer("Un niño está aquí.")["input_ids"], skip_special_tokens=True)
    'Un niño está aquí.'
    """
    from tokenizers.implementations import BertWordPieceTokenizer
    from transformers import BertTokenizer

    trainer = BertWordPieceTokenizer(lowercase=False, strip_accents=False)
    trainer.train_from_iterator(
        # Every letter once alone and once inside a word, so that each has both of its pieces.
        [*captions, *LETTERS, *(f"x{letter}" for letter in LETTERS if letter.isalnum())],
        vocab_size=vocabulary_size,
        min_frequency=min_frequency,
        limit_alphabet=2000,
        special_tokens=SPECIAL_TOKENS,
        show_progress=False,
    )
    return BertTokenizer(vocab=trainer.get_vocab(), do_lower_case=False, strip_accents=False)
