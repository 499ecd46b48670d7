"""Banned words in the search: against `transformers`' own bad words, and against a search that tries every token."""

from __future__ import annotations

import copy
import itertools
import re
from collections import Counter

import pytest
import torch
from tests.models.conftest import git as new_git
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, trainers
from tokenizers import models as token_models
from transformers import BertTokenizer, PreTrainedTokenizerFast

from leyenda.models import CaptioningModel, GenerationSettings
from leyenda.models.banned_words import BannedWords
from leyenda.models.git import Git
from leyenda.models.git_training import make_fast
from leyenda.models.search import Demands, Limits, greedy_search
from leyenda.models.vocabulary import as_written, pieces, token_ids
from leyenda.text_control import TextRules
from leyenda.text_control.phrases import holds, words_of

TEXT = [
    "a cat sat on the caterpillar's concatenated cattle",
    "the hot dog and the hotdog, hot-dogs! A CAT Cats",
]
BANNED = ("cat", "hot dog", "the")


def word_pieces():
    vocabulary = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "a",
        "cat",
        "##s",
        "##er",
        "##tle",
        "c",
        "##at",
    ]
    vocabulary += [
        "hot",
        "dog",
        "##dog",
        "the",
        "Cat",
        "-",
        ".",
        "'",
        "con",
        "##c",
        "##cat",
        "sits",
        "caterpillar",
    ]
    return BertTokenizer(vocab={piece: n for n, piece in enumerate(vocabulary)}, do_lower_case=False)


def byte_level():
    tokenizer = Tokenizer(token_models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT * 3, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>")


def sentence_pieces():
    tokenizer = Tokenizer(token_models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=60, special_tokens=["<unk>", "</s>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(TEXT * 3, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>", unk_token="<unk>")


TOKENIZERS = {"word pieces": word_pieces, "byte level": byte_level, "sentence pieces": sentence_pieces}


def test_pieces_are_what_each_id_adds():
    tokenizer = word_pieces()
    added = dict(zip(tokenizer.convert_ids_to_tokens(range(27)), pieces(tokenizer, 27), strict=False))
    assert [added[piece] for piece in ("cat", "##er", "[SEP]")] == [" cat", "er", ""]
    assert pieces(tokenizer, 30)[25:] == [" "] * 5, "ids that the tokenizer does not have"
    tokenizer = byte_level()
    found = pieces(tokenizer, len(tokenizer))
    assert {" cat", "cat", "a", " "} <= set(found)


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_whatever_is_written_holds_no_banned_word(kind):
    """Texts drawn at random, token by token: thousands of them, and every longer word is still possible."""
    tokenizer = TOKENIZERS[kind]()
    entries = len(tokenizer)
    bans = BannedWords(tokenizer, BANNED)
    generator = torch.Generator().manual_seed(4)
    rows: list[list[int]] = [[] for _ in range(400)]

    def random_logits(_):
        return torch.randn((len(rows), entries), generator=generator) * 3

    for length in range(1, 13):
        scores = random_logits(None).log_softmax(1)
        scores = bans(rows, scores, random_logits, width=1, last=length == 12)
        assert not bool(scores.isnan().any())
        for row, token in zip(rows, scores.argmax(1).tolist(), strict=True):
            row.append(token)
    texts = [tokenizer.decode(row, skip_special_tokens=True) for row in rows]
    for text in texts:
        for phrase in BANNED:
            assert not holds(words_of(text), words_of(phrase)), text
    assert any(re.search(r"\Bcat|cat\B", text, re.IGNORECASE) for text in texts), (
        "words that contain it are gone too"
    )


def table_decoder(tokenizer, table):
    """A decoder of one picture whose logits are said by a table: the words so far -> probabilities of some tokens."""

    class Decoder:
        def __init__(self):
            self.ids = []

        def _logits(self, ids):
            said = " ".join(tokenizer.convert_ids_to_tokens(ids))
            logits = torch.full((1, len(tokenizer)), -20.0)
            for token, probability in table.get(said, {"[SEP]": 0.9}).items():
                logits[0, tokenizer.convert_tokens_to_ids(token)] = torch.tensor(probability).log()
            return logits

        def start(self):
            return self._logits([])

        def step(self, token_ids):
            self.ids += token_ids.tolist()
            return self._logits(self.ids)

        def look(self, token_ids):
            return self._logits(self.ids + token_ids.tolist())

    return Decoder()


@pytest.mark.parametrize(
    ("goes_on", "length", "expected"),
    [(0.9, 9, "cat ##er [SEP]"), (0.1, 9, "dog [SEP]"), (0.9, 1, "dog"), (0.9, 2, "cat ##er")],
)
def test_a_longer_word_is_written_when_the_model_means_it(goes_on, length, expected):
    tokenizer = word_pieces()
    table = {
        "": {"cat": 0.6, "dog": 0.4},
        "cat": {"[SEP]": 1 - goes_on, "##er": goes_on},
        "cat ##er": {"[SEP]": 0.99},
        "dog": {"[SEP]": 0.99},
    }
    demands = Demands(BannedWords(tokenizer, ["CAT"]), [[]])
    limits = Limits(length, 0, [tokenizer.sep_token_id])
    (written,) = greedy_search(table_decoder(tokenizer, table), limits, demands=demands)
    assert " ".join(tokenizer.convert_ids_to_tokens(written.token_ids)) == expected


def test_what_the_model_can_write_is_what_is_banned():
    """An uncased vocabulary without accents writes `nino`."""
    tokenizer = BertTokenizer(
        vocab={
            piece: n for n, piece in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "nino"])
        }
    )
    assert as_written(tokenizer, "NIÑO") == "nino"
    assert as_written(tokenizer, "Łukasz") == "Łukasz"
    scores = BannedWords(tokenizer, ["Niño"])([[5]], torch.zeros(1, 7), torch.zeros_like, width=1, last=True)
    assert scores[0].tolist() == [0, 0, 0, 0, 0, 0, float("-inf")]


# Against `transformers`.


@pytest.fixture(scope="module")
def whole_words():
    """A GIT whose vocabulary has no pieces inside words, as leyenda computes it and as `transformers` does."""
    letters = "abcdefgh"
    words = [first + second for first in letters for second in letters]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    tokenizer = BertTokenizer(vocab={word: n for n, word in enumerate(vocabulary)})
    tokenizer.model_max_length = 40
    torch.manual_seed(11)
    model, (processor,) = new_git(tokenizer)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(12)
        model.output.bias[3] += 2.0
        model.output.bias[
            [0, 1, 2, 4]
        ] = -99.0  # `transformers` lets a special token stand inside a banned phrase
    fast = copy.deepcopy(model.eval())
    make_fast(fast)
    ours = CaptioningModel("words", fast, processor, tokenizer, processor.image_processor, Git())
    return ours, model


@pytest.mark.parametrize("beams", [1, 3])
def test_whole_words_are_banned_as_transformers_bans_them(whole_words, pixels, beams):
    model, plain = whole_words
    settings = GenerationSettings(beams=beams, max_length=8)
    before = model.generate(pixels, settings)
    single = common_words(before, 3)
    pairs = Counter(
        pair
        for caption in before
        for pair in itertools.pairwise(words_of(caption.text))
        if not {*pair} & {*single}
    )
    banned = [*single, *(" ".join(pair) for pair, _ in pairs.most_common(4))]
    with torch.no_grad():
        rows = plain.generate(
            pixel_values=pixels, num_beams=beams, max_new_tokens=8, do_sample=False,
            bad_words_ids=[token_ids(model.tokenizer, phrase) for phrase in banned],
        ).tolist()  # fmt: skip
    expected = [tuple(row[1 : row.index(3, 1) + 1] if 3 in row[1:] else row[1:]) for row in rows]
    for size in (5, 33):
        found = [
            caption.token_ids
            for first in range(0, 33, size)
            for caption in model.generate(
                pixels[first : first + size], settings, text=TextRules(ban=tuple(banned))
            )
        ]
        # A beam that has only the end token is no caption: the next best is taken.
        assert [ids for ids, wanted in zip(found, expected, strict=True) if wanted != (3,)] == [
            wanted for wanted in expected if wanted != (3,)
        ], size
    assert expected != [caption.token_ids for caption in before]


def common_words(captions, number) -> list[str]:
    counted = Counter(word for caption in captions for word in set(words_of(caption.text)))
    return [word for word, _ in counted.most_common(number)]


def by_trying_everything(reference, tokenizer, pixels, banned, beams, most):
    """The rule of `leyenda.models.banned_words` over decoded texts, every token tried and every sequel computed."""
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in banned), re.IGNORECASE)
    special = set(tokenizer.all_special_ids)

    def following(row, ids):
        return next_log_probabilities(reference, pixels[row // beams], ids)

    def kinds(ids):
        """For each token: banned, completing, or free."""
        found = []
        for token in range(len(tokenizer)):
            text = tokenizer.decode([*ids[1:], token], skip_special_tokens=True)
            ended = text + (" " if token in special else "")
            matches = [match.end() for match in pattern.finditer(ended)]
            found.append("free" if not matches else "completing" if matches[0] == len(ended) else "banned")
        return found

    def rule(input_ids, scores):
        scores = scores.clone()
        last = input_ids.shape[1] == most
        for row, ids in enumerate(input_ids.tolist()):
            now = kinds(ids)
            text = tokenizer.decode(ids[1:], skip_special_tokens=True)
            for token, kind in enumerate(now):
                if kind == "banned" or (kind == "completing" and last):
                    scores[row, token] = float("-inf")
                elif kind == "completing":
                    behind, sequel = kinds([*ids, token]), following(row, [*ids, token])
                    free = [n for n, one in enumerate(behind) if one == "free"]
                    scores[row, token] += sequel[free].logsumexp(0)
            if any(match.end() == len(text) for match in pattern.finditer(text)):
                free = [n for n, one in enumerate(now) if one == "free"]
                scores[row] -= following(row, ids)[free].logsumexp(0)
        return scores

    return rule


def next_log_probabilities(model, pixel_values, ids):
    given, kind = torch.tensor([ids]), model.config.model_type
    if kind == "git":
        logits = model(input_ids=given, pixel_values=pixel_values[None]).logits[0, -1]
    elif kind == "blip":
        seen = model.vision_model(pixel_values=pixel_values[None]).last_hidden_state
        logits = model.text_decoder(input_ids=given, encoder_hidden_states=seen, use_cache=False).logits[
            0, -1
        ]
    else:
        logits = model(pixel_values=pixel_values[None], decoder_input_ids=given).logits[0, -1]
    return logits.log_softmax(-1)


@pytest.mark.parametrize("beams", [1, 3])
def test_families_write_what_a_search_that_tries_everything_writes(
    reference, family_model, plain_log_probabilities, pixels, beams
):
    settings, pixels = GenerationSettings(beams=beams, max_length=7), pixels[:6]
    before = family_model.generate(pixels, settings)
    banned = common_words(before, 3)
    rules = TextRules(ban=tuple(word.upper() for word in banned))
    captions = family_model.generate(pixels, settings, text=rules)
    tokenizer = family_model.tokenizer
    with torch.no_grad():
        rule = by_trying_everything(reference, tokenizer, pixels, banned, beams, 7)
        rows = reference.generate(
            pixel_values=pixels, num_beams=beams, max_new_tokens=7, do_sample=False, logits_processor=[rule]
        )
        ends = family_model.family.end_token_ids(family_model.model)
        compared = 0
        for caption, row, picture in zip(captions, rows.tolist(), pixels, strict=True):
            end = next((at for at, token in enumerate(row) if at and token in ends), len(row))
            assert not any(holds(words_of(caption.text), words_of(word)) for word in banned)
            expected = tuple(row[1 : end + 1])
            if words_of(tokenizer.decode(expected, skip_special_tokens=True)):
                assert caption.token_ids == expected
                compared += 1
            else:  # no caption: of several beams, the next best is taken
                assert beams > 1 or caption.token_ids == expected
            own = plain_log_probabilities(reference, picture, caption.token_ids).mean().exp().item()
            assert caption.confidence == pytest.approx(own, rel=1e-4), "not the model's own probabilities"
    assert compared >= 3
    assert [caption.text for caption in captions] != [caption.text for caption in before]
    alone = [family_model.generate(picture[None], settings, text=rules)[0] for picture in pixels]
    assert [caption.token_ids for caption in alone] == [caption.token_ids for caption in captions]


def test_sampled_captions_hold_none_either(family_model, pixels):
    settings = GenerationSettings(max_length=9, sample=True, temperature=0.8, top_p=0.9, seed=3)
    banned = tuple(common_words(family_model.generate(pixels, settings), 4))
    captions = family_model.generate(pixels, settings, text=TextRules(ban=banned))
    for caption in captions:
        assert not any(holds(words_of(caption.text), words_of(word)) for word in banned), caption
    assert len({caption.text for caption in captions}) > 20


def test_sampling_follows_the_probabilities_that_are_left():
    """10,000 draws of one word: `cat` has 0.5, of which 0.2 goes on."""
    from leyenda.models.sampling import RandomChoice

    tokenizer = word_pieces()
    table = {"": {"cat": 0.5, "dog": 0.3, "a": 0.2}, "cat": {"[SEP]": 0.8, "##er": 0.2}}
    bans, drawn = BannedWords(tokenizer, ["cat"]), Counter()
    decoder = table_decoder(tokenizer, table)
    scores = bans([[]], decoder.start(), decoder.look, width=50, last=False)
    choice = RandomChoice(torch.zeros(1, 1), 1.0, 1.0, seed=5)
    for _ in range(10_000):
        drawn[tokenizer.convert_ids_to_tokens(int(choice(scores).argmax()))] += 1
    for word, share in (("cat", 0.1 / 0.6), ("dog", 0.3 / 0.6), ("a", 0.2 / 0.6)):
        assert drawn[word] / 10_000 == pytest.approx(share, abs=0.02)


def test_a_model_without_bans_is_not_slowed(family_model, pixels, monkeypatch):
    monkeypatch.setattr(BannedWords, "__call__", None)
    rules = TextRules(prefix="a", require=("a",), max_words=3)
    family_model.generate(pixels[:2], GenerationSettings(max_length=3), text=rules)


# Words that a caption must have.


def test_the_best_beam_with_the_required_word_is_the_caption(reference, family_model, pixels):
    settings = GenerationSettings(beams=4, max_length=6)
    with torch.no_grad():
        rows = reference.generate(
            pixel_values=pixels, num_beams=4, max_new_tokens=6, do_sample=False, num_return_sequences=4
        )
    tokenizer = family_model.tokenizer
    ends = family_model.family.end_token_ids(family_model.model)
    texts = []
    for row in rows.tolist():
        end = next((at for at, token in enumerate(row) if at and token in ends), len(row))
        texts.append(tokenizer.decode(row[1 : end + 1], skip_special_tokens=True).strip())
    beams = [texts[first : first + 4] for first in range(0, len(texts), 4)]
    changed = 0
    for word in sorted({word for text in texts for word in words_of(text)})[:8]:
        captions = family_model.generate(pixels, settings, text=TextRules(require=(word,)))
        for caption, ranked in zip(captions, beams, strict=True):
            wanted = [text for text in ranked if word in words_of(text)]
            assert caption.text == (wanted or ranked)[0]
            changed += bool(wanted) and wanted[0] != ranked[0]
    assert changed, "the best beam had every word already"
