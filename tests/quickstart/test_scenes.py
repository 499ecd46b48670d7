import json
import random
import re

import pytest
from PIL import Image

from leyenda.errors import LeyendaError
from leyenda.quickstart import creature_captions, creatures, scene_captions, scenes
from leyenda.quickstart.dataset import write_dataset, write_scenes
from leyenda.quickstart.scene_drawing import draw_scene
from leyenda.quickstart.scenes import Scene, Thing
from leyenda.quickstart.tokenizer import train_tokenizer


def scene_texts(count):
    for number in range(count):
        randomness = random.Random(number)
        yield from scene_captions.captions_of(scenes.sample(randomness), randomness)


def test_folder_has_three_splits_with_two_captions_in_each_language(tmp_path):
    folder = write_scenes(tmp_path / "scenes", pictures=27)
    counted = {}
    for split in ("train", "validation", "test"):
        lines = (folder / split / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
        counted[split] = len(lines)
        for row in map(json.loads, lines):
            assert len(row["captions"]) == 4
            assert not re.search(r"\b(una?|con)\b", " ".join(row["captions"][:2]))
            assert re.search(r"\bcon\b", row["captions"][2])
            with Image.open(folder / split / row["file_name"]) as picture:
                assert (picture.mode, picture.size) == ("RGB", (100, 100))
    assert counted == {"train": 21, "validation": 3, "test": 3}


def test_scenes_never_speak_of_creatures():
    told = " ".join(scene_texts(2000)).lower()
    for word in (
        "monster",
        "creature",
        "critter",
        "monstruo",
        "criatura",
        "bicho",
        "horn",
        "antenna",
        "face",
        "cara",
    ):
        assert not re.search(rf"\b{word}", told), word


def test_every_colour_of_a_creature_is_learnt_from_scenes():
    assert set(creatures.COLOURS) <= set(scenes.COLOURS)


@pytest.mark.parametrize("kind", scenes.STANDING_KINDS)
def test_colour_and_detail_both_show(kind):
    def picture(colour, detail):
        return draw_scene(
            Scene("table", "nothing", Thing(kind, colour, detail, "big")), random.Random(0)
        ).tobytes()

    assert len({picture("red", "blue"), picture("red", "green"), picture("yellow", "blue")}) == 3


def test_same_seed_gives_the_same_bytes(tmp_path):
    one, two = (write_scenes(tmp_path / name, pictures=12, seed=3) for name in ("one", "two"))
    files = sorted(path.relative_to(one) for path in one.rglob("*.*"))
    assert len(files) == 15
    assert all((one / file).read_bytes() == (two / file).read_bytes() for file in files)


def test_english_articles_fit_the_next_word():
    english = [text for number, text in enumerate(scene_texts(1000)) if number % 4 < 2]
    for article, word in re.findall(r"\b(an?) (\w+)", " | ".join(english)):
        assert (article == "an") == (word[0] in "aeiou"), (article, word)


def test_spanish_agrees():
    told = " | ".join(scene_texts(2000))
    for words in (
        "casas? (?:roj|pequeñ|amarill)os?",
        "coches? (?:roj|pequeñ|amarill)as?",
        "un (?:casa|torre|taza)",
    ):
        assert not re.search(rf"\b{words}\b", told), words
    assert re.search(r"\buna (casa|taza) (roja|amarilla) pequeña", told)


def test_too_few_scenes_are_refused(tmp_path):
    with pytest.raises(LeyendaError, match="at least 9"):
        write_scenes(tmp_path / "scenes", pictures=3)


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(scene_texts(300))


def test_tokenizer_gives_every_creature_caption_back_exactly(tokenizer):
    for number in range(400):
        creature = creatures.sample(random.Random(number), for_test=number % 2 == 0)
        for language in creature_captions.LANGUAGES:
            for caption in creature_captions.captions_of(creature, language, random.Random(number)):
                ids = tokenizer(caption)["input_ids"]
                assert tokenizer.unk_token_id not in ids
                assert tokenizer.decode(ids, skip_special_tokens=True) == caption


@pytest.mark.parametrize("text", ["Ñandú, pingüino y cigüeña.", "Zzyzx Quartz 1984", "¿Qué? «Œuvre» 50 €"])
def test_tokenizer_knows_every_letter_and_sign(tokenizer, text):
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.unk_token_id not in ids
    told = tokenizer.decode(ids, skip_special_tokens=True)
    assert re.sub(r"\s", "", told) == re.sub(r"\s", "", text)


def test_tokenizer_survives_saving(tokenizer, tmp_path):
    from transformers import AutoTokenizer

    tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    text = "Un pingüino azul en la nieve."
    assert again(text)["input_ids"] == tokenizer(text)["input_ids"]
    assert again.decode(again(text)["input_ids"], skip_special_tokens=True) == text
    assert again.model_max_length == 64


def test_datasets_can_read_the_embedded_drawings(tmp_path):
    datasets = pytest.importorskip("datasets")
    folder = write_dataset(tmp_path / "creatures", pictures=27)
    loaded = datasets.load_dataset("imagefolder", data_dir=str(folder), cache_dir=str(tmp_path / "cache"))
    assert {name: len(split) for name, split in loaded.items()} == {"train": 23, "validation": 1, "test": 3}
    assert len(loaded["test"][0]["captions"]) >= 3
