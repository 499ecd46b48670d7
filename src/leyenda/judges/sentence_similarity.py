"""Do caption and reference mean the same? The cosine of their sentence embeddings.

Reimers and Gurevych, "Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks", 2019, arXiv:1908.10084.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from leyenda.errors import ModelError
from leyenda.judges.batches import by_length, in_batches
from leyenda.judges.checkpoints import cut_note, load_judge, most_tokens
from leyenda.judges.equipment import Equipment
from leyenda.judges.vectors import best_cosines, unit_vectors
from leyenda.metrics.corpus import Corpus, Floats, Measurement


class SentenceEncoder:
    """Any encoder of text: the mean of its last hidden states over the tokens is the text's vector.

    Args:
        name: what the user calls it.
        model: a `transformers` model whose output has `last_hidden_state`.
        tokenizer: its tokenizer.
        batch_size: texts at a time.
    """

    def __init__(self, name: str, model: Any, tokenizer: Any, batch_size: int) -> None:
        self.name = name
        self._model = model.get_encoder() if model.config.is_encoder_decoder else model
        self._tokenizer = tokenizer
        self._batch_size = batch_size
        self.most_tokens = most_tokens(tokenizer, model.config)

    @classmethod
    def load(cls, name: str | Path, equipment: Equipment) -> SentenceEncoder:
        """The checkpoint of that name.

        Raises:
            ModelError: it cannot be found or read, or is no model of text alone.
        """
        # Sentences are pooled here, and many checkpoints come without the pooler that BERT once had.
        model, tokenizer = load_judge(
            name, "--sentence-model", "AutoModel", ("AutoTokenizer",), equipment, unused=("pooler.",)
        )
        if model.main_input_name != "input_ids" or hasattr(model.config, "vision_config"):
            raise ModelError(
                f"{str(name)!r} is a {model.config.model_type!r} model, which is no encoder of sentences.",
                "Name one, such as sentence-transformers/all-MiniLM-L6-v2: --sentence-model NAME",
            )
        if tokenizer.pad_token is None:  # what pads is masked, so any token will do
            tokenizer.pad_token = tokenizer.all_special_tokens[0]
        return cls(str(name), model, tokenizer, equipment.batch_size)

    def vectors(self, texts: Sequence[str]) -> Floats:
        """Vectors of texts, shape (texts, width), each of length 1; a text without words gets zeros."""
        worded = by_length([text for text in texts if text.strip()])
        found = dict(in_batches(worded, self._batch_size, self._embedded, "Reading captions"))
        nothing = np.zeros_like(next(iter(found.values()))) if found else np.zeros(1)
        return np.array([found.get(text, nothing) for text in texts])

    def cut_note(self, texts: Sequence[str]) -> str:
        """What is said of those of the texts that are too long."""
        if self.most_tokens is None:
            return ""
        cut = sum(len(self._tokenizer(text, verbose=False)["input_ids"]) > self.most_tokens for text in texts)
        return cut_note(cut, len(texts), self.most_tokens)

    def _embedded(self, texts: Sequence[str]) -> Floats:
        inputs = self._tokenizer(
            list(texts),
            padding=True,
            truncation=self.most_tokens is not None,
            max_length=self.most_tokens,
            return_tensors="pt",
        ).to(self._model.device)
        states = self._model(**inputs).last_hidden_state.float()  # [batch, tokens, width]
        real = inputs["attention_mask"][:, :, None].float()  # [batch, tokens, 1]
        return unit_vectors((states * real).sum(dim=1) / real.sum(dim=1).clamp(min=1.0))


def sentence_similarity(corpus: Corpus, equipment: Equipment) -> Measurement:
    """The cosine of the caption's embedding with that of the nearest reference, in [-1, 1]; the mean over images.

    A caption without words resembles nothing: 0. So does every caption whose references all have none; beside others,
    a reference without words is left out.

    Raises:
        ModelError: the model cannot be found or read.
    """
    worded = tuple(tuple(filter(str.strip, texts)) or ("",) for texts in corpus.references)
    spoken = Corpus(corpus.ids, corpus.hypotheses, worded, corpus.tokenizer)
    model, texts, images = equipment.sentences, [*corpus.hypotheses, *chain(*worded)], len(corpus.ids)
    vectors = model.vectors(texts)
    return Measurement.mean(
        best_cosines(vectors[:images], vectors[images:], spoken),
        f"the text as it is, embedded as the mean over the tokens of {model.name!r}{model.cut_note(texts)}",
    )
