"""Rules for the text of captions, in several languages, one at a time and together."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from leyenda.errors import CaptionError, LeyendaError
from leyenda.records import Caption
from leyenda.text_control import TextRules
from leyenda.text_control.phrases import end_of_start, holds, words_of


@pytest.mark.parametrize(
    ("starts", "text", "expected"),
    [
        (["this image is"], "This image is a dog on grass.", "A dog on grass."),
        (["this image is"], "this image is a dog", "a dog"),
        (["THIS  IMAGE IS"], "This image is: a dog", "A dog"),
        (["this image is"], "This image isn't sharp", "This image isn't sharp"),
        (["it"], "it's a dog", "it's a dog"),
        (["it’s"], "It's a dog", "A dog"),
        (["a"], "ant on a leaf", "ant on a leaf"),
        (["a photo of", "this is"], "This is a photo of a photo of a cat", "A cat"),
        (["esta imágen"], "Esta imagen: un niño", "Un niño"),
        (["esta imagen está"], "ESTA IMAGEN ESTA hecha", "Hecha"),
        (["cafe\u0301"], "Café con leche", "Con leche"),
        (["这张图片是"], "这张图片是一只猫", "一只猫"),
        (["ce sont"], "Ce sont « des chats »", "« des chats »"),
        (["a picture of"], "“A picture of a dog”", "“A picture of a dog”"),
    ],
)
def test_starts_are_taken_off(starts, text, expected):
    assert TextRules(strip_start=tuple(starts)).apply(text) == expected


@pytest.mark.parametrize(
    ("most", "text", "expected"),
    [
        (3, "a red dog", "a red dog"),
        (3, "a red dog runs", "a red dog"),
        (5, "A dog sits on the grass.", "A dog sits."),
        (4, "un niño juega con la pelota", "un niño juega"),
        (6, "A dog runs. It is brown and large.", "A dog runs."),
        (4, "A St. Bernard dog lies there", "A St. Bernard dog"),
        (3, "a dog, a cat, a bird", "a dog"),
        (1, "the the the", "the"),
        (4, "a mother-in-law's red t-shirt, worn", "a mother-in-law's red t-shirt"),
        (4, "一只白猫坐在草地上。", "一只白猫。"),
        (2, "d’été l’eau est bleue", "d’été l’eau"),
        (2, "🐶 dog 🐶 runs 🐶 far", "🐶 dog 🐶 runs"),
        (2, "हिन्दी में कुछ शब्द", "हिन्दी में"),
    ],
)
def test_long_captions_end_sensibly(most, text, expected):
    assert TextRules(max_words=most).apply(text) == expected


@pytest.mark.parametrize(
    ("rules", "text", "expected"),
    [
        (TextRules(prefix="a photo of"), "a dog", "a photo of a dog"),
        (TextRules(prefix="a photo of "), "a dog", "a photo of a dog"),
        (TextRules(prefix="a photo of"), "A photo of a dog", "a photo of a dog"),
        (TextRules(prefix="(", suffix=")"), "a dog", "(a dog)"),
        (TextRules(suffix=", high quality"), "A dog.", "A dog, high quality"),
        (TextRules(suffix="in Paris"), "a dog", "a dog in Paris"),
        (TextRules(suffix="。", prefix="写真："), "白い猫", "写真：白い猫。"),
        (TextRules(trigger="sks"), "a dog", "sks, a dog"),
        (TextRules(trigger="sks"), "sks, a dog", "sks, a dog"),
        (TextRules(trigger="sks dog"), "SKS Dog, a dog", "sks dog, a dog"),
        (TextRules(trigger="sks"), "sksa dog", "sks, sksa dog"),
        (TextRules(trigger="sks", prefix="sks, a photo of"), "a dog", "sks, a photo of a dog"),
        (
            TextRules("a photo of", ", 4k", "sks", ("this is",), 3),
            "This is a dog on the grass.",
            "sks, a photo of A dog, 4k",
        ),
    ],
)
def test_texts_are_added(rules, text, expected):
    assert rules.apply(text) == expected
    assert rules.apply(expected) == expected


WORDS = st.sampled_from(
    ["a", "dog", "This", "is", "sks", ",", ".", "the", "photo", "of", "é", "猫", "🐶", "it's", "-", "\n"]
)
TEXTS = st.lists(WORDS, max_size=9).map(" ".join)
PHRASES = st.sampled_from(["", "a", "this is", "sks", "photo of", "a dog", "猫", "the photo of", "é"])


@settings(max_examples=300, deadline=None, print_blob=True)
@given(
    TEXTS,
    st.sampled_from(["", "a photo of", "the dog", "写真：", "(", "é"]),
    st.sampled_from(["", ", hq", ".", "in é", "dog"]),
    st.sampled_from(["", "sks", "zwx style", "猫"]),
    PHRASES,
    st.integers(1, 5),
)
def test_applied_again_rules_change_nothing(text, prefix, suffix, trigger, start, most):
    rules = TextRules(prefix, suffix, trigger, (start,) if start else (), most)
    # An unwanted start that goes on where an addition ends is taken off across the seam.
    assume(
        all(not added or start == added or end_of_start(start, added) is None for added in (prefix, trigger))
    )
    try:
        once = rules.apply(text)
    except CaptionError:
        return
    assert rules.apply(once) == once
    if trigger:
        assert end_of_start(once[end_of_start(once, trigger) :], trigger) is None


@pytest.mark.parametrize("text", ["", "  ", ".", "This image is.", "this image is — "])
def test_a_caption_of_which_nothing_is_left_is_none(text):
    with pytest.raises(CaptionError) as caught:
        TextRules(strip_start=("this image is",)).apply(text)
    assert caught.value.code == "empty_caption"


def test_without_rules_nothing_changes():
    assert TextRules().apply("") == ""
    assert not TextRules()
    caption = Caption("a dog", 0.5)
    assert TextRules().applied(caption) is caption
    assert TextRules(trigger="x").applied(caption) == Caption("x, a dog", 0.5)


@pytest.mark.parametrize(
    ("word", "text", "there"),
    [
        ("cat", "a Cat.", True),
        ("CAT", "the cat's bowl", True),
        ("cat", "a caterpillar", False),
        ("cat", "a bobcat", False),
        ("hot dog", "a HOT-dog", True),
        ("hot dog", "a hot red dog", False),
        ("niño", "un NIN\u0303O", True),
        ("niño", "un nino", False),
        ("straße", "die STRASSE", True),
        ("猫", "白い猫がいる", True),
        ("ネコ", "白いネコがいる", True),
        ("हिन्दी", "हिन्दी में", True),
        ("हिन", "हिन्दी में", False),
    ],
)
def test_words_are_whole_words_in_any_casing(word, text, there):
    assert holds(words_of(text), words_of(word)) == there
    assert TextRules(ban=(word,)).accept(text) != there
    assert TextRules(require=(word,)).accept(text) == there


def test_refusals_have_names():
    with pytest.raises(CaptionError, match=r"has 'cat', which is banned") as caught:
        TextRules(ban=("cat",)).apply("two cat toys")
    assert caught.value.code == "has_banned"
    with pytest.raises(CaptionError, match=r"lacks 'cat'") as caught:
        TextRules(require=("dog", "cat")).apply("two dog toys")
    assert caught.value.code == "lacks_required"


def test_a_required_word_must_be_in_what_is_left():
    assert not TextRules(require=("grass",), max_words=3).accept("a dog runs on grass")
    assert not TextRules(require=("image",), strip_start=("this image is",)).accept("this image is a dog")
    assert not TextRules(require=("photo",), prefix="a photo of").accept("a dog")


def test_banned_words_in_a_prompt_are_the_users_own():
    rules = TextRules(ban=("dog",))
    assert rules.accept("a dog runs", given="a dog")
    assert not rules.accept("a dog and a dog", given="a dog")
    assert not TextRules(ban=("hot dog",)).accept("a hot dog", given="a hot")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"ban": ("",)}, "--ban '' holds no word"),
        ({"require": ("...",)}, "--require '...' holds no word"),
        ({"strip_start": (" ",)}, "--strip-start ' ' holds no word"),
        ({"trigger": ","}, "--trigger ',' holds no word"),
        ({"max_words": 0}, "max_words is 0. It must be a whole number from 1 up."),
        ({"max_words": True}, "max_words is True."),
        ({"ban": (7,)}, "ban has 7. It must be text."),
        ({"prefix": None}, "prefix is None. It must be text."),
        ({"ban": "dog", "require": "hot dog"}, "'hot dog' is required and 'dog' is banned."),
    ],
)
def test_rules_that_make_no_sense(values, words):
    with pytest.raises(LeyendaError) as caught:
        TextRules(**values)
    assert str(caught.value).startswith(words)
