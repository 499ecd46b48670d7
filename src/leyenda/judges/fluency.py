"""Is a caption good language? How little it surprises a causal language model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from leyenda.errors import ModelError
from leyenda.judges.batches import by_length, in_batches
from leyenda.judges.checkpoints import cut_note, load_judge, most_tokens
from leyenda.judges.equipment import Equipment
from leyenda.metrics.corpus import Corpus, Floats, Measurement


class LanguageModel:
    """Any causal language model.

    Args:
        name: what the user calls it.
        model: a `transformers` model with `logits`.
        tokenizer: its tokenizer, with a token that begins a text.
        batch_size: captions at a time.
    """

    def __init__(self, name: str, model: Any, tokenizer: Any, batch_size: int) -> None:
        self.name = name
        self._model = model
        self._tokenizer = tokenizer
        self._batch_size = batch_size
        self._found: dict[str, Floats] = {}
        self._begin = _first_token(tokenizer, name)
        self.most_tokens = most_tokens(tokenizer, model.config)
        self.words_known = int(model.config.vocab_size)

    @classmethod
    def load(cls, name: str | Path, equipment: Equipment) -> LanguageModel:
        """The checkpoint of that name.

        Raises:
            ModelError: it cannot be found or read, writes no text by itself, or has no token that begins a text.
        """
        model, tokenizer = load_judge(
            name, "--language-model", "AutoModelForCausalLM", ("AutoTokenizer",), equipment
        )
        if model.main_input_name != "input_ids" or hasattr(model.config, "vision_config"):
            raise ModelError(
                f"{str(name)!r} is a {model.config.model_type!r} model, which is no language model.",
                "Name one, such as openai-community/gpt2: --language-model NAME",
            )
        return cls(str(name), model, tokenizer, equipment.batch_size)

    def surprise(self, texts: Sequence[str]) -> Floats:
        """For each text its negative log-likelihood in nats, its tokens and its words, shape (texts, 3).

        Every token is predicted from those before it, the first one from the token that begins a text; no end is
        predicted. What was read before is remembered.
        """
        new = by_length([text for text in texts if text not in self._found])
        self._found.update(in_batches(new, self._batch_size, self._measured, "Reading captions"))
        return np.array([self._found[text] for text in texts])

    def cut_note(self, texts: Sequence[str]) -> str:
        """What is said of those of the texts that are too long."""
        if self.most_tokens is None:
            return ""
        cut = sum(len(self._ids(text)) > self.most_tokens for text in texts)
        return cut_note(cut, len(texts), self.most_tokens)

    def _ids(self, text: str) -> list[int]:
        return [self._begin, *self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]]

    def _measured(self, texts: Sequence[str]) -> Floats:
        import torch
        from torch.nn.functional import cross_entropy

        whole = [self._ids(text) for text in texts]
        rows = [row[: self.most_tokens] for row in whole]
        longest = max(map(len, rows))
        # Padded on the right, where a causal model cannot see it.
        ids = torch.tensor([row + [self._begin] * (longest - len(row)) for row in rows])  # [batch, longest]
        lengths = torch.tensor([len(row) for row in rows])
        real = torch.arange(longest)[None, :] < lengths[:, None]  # [batch, longest]
        ids, real = ids.to(self._model.device), real.to(self._model.device)
        logits = self._model(input_ids=ids, attention_mask=real.long()).logits[:, :-1].float()
        losses = cross_entropy(
            logits.transpose(1, 2), ids[:, 1:], reduction="none"
        ).double()  # [batch, longest - 1]
        sums = torch.where(real[:, 1:], losses, 0.0).sum(dim=1)
        # Of a caption that was cut, as many words are counted as its share of tokens that was read.
        words = [
            len(text.split()) * len(kept) / len(row)
            for text, row, kept in zip(texts, whole, rows, strict=True)
        ]
        return np.column_stack([sums.cpu().numpy(), lengths.numpy() - 1.0, words])


def perplexity(corpus: Corpus, equipment: Equipment) -> Measurement:
    """exp(mean negative log-likelihood per token) of each caption; the mean over captions.

    The first token is predicted from the token that begins a text, so that a caption of one token has a perplexity
    too. An empty caption says nothing that could be predicted: it counts as chance, the size of the vocabulary.
    References are not looked at. Values of models with different tokenizers cannot be compared.

    Raises:
        ModelError: the model cannot be found or read.
    """
    return _measurement(corpus, equipment, _TOKENS)


def perplexity_per_word(corpus: Corpus, equipment: Equipment) -> Measurement:
    """As `perplexity`, but per word between spaces instead of per token: comparable between tokenizers.

    Raises:
        ModelError: the model cannot be found or read.
    """
    return _measurement(corpus, equipment, _WORDS)


_TOKENS, _WORDS = 1, 2
"""Columns of `LanguageModel.surprise`."""


def _texts(corpus: Corpus) -> list[str]:
    return [text.strip() for text in corpus.hypotheses]


def _measurement(corpus: Corpus, equipment: Equipment, per: int) -> Measurement:
    model, texts = equipment.language, _texts(corpus)
    surprise = model.surprise(texts)
    nats, parts, unit = surprise[:, 0], surprise[:, per], "token" if per == _TOKENS else "word"
    mean = np.divide(nats, parts, out=np.full_like(nats, np.log(model.words_known)), where=parts > 0)
    empty = int((parts == 0).sum())
    said = f"the text without spaces around it, per {unit}, read by {model.name!r}{model.cut_note(texts)}"
    if empty:
        said += f"; empty captions: {empty}, counted as {model.words_known} (the vocabulary's size)"
    # Beyond e^700 there is no number left; such a caption is as bad as one can be.
    return Measurement.mean(np.exp(mean.clip(max=700.0)), said)


def _first_token(tokenizer: Any, name: str) -> int:
    """The token that begins a text; of models that have none, the one that ends the text before."""
    for token in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if token is not None:
            return int(token)
    raise ModelError(
        f"The tokenizer of {name!r} has no token that begins or ends a text, so no first word can be predicted.",
        "Name another language model: --language-model NAME",
    )
