import json
import random
import re
from collections import Counter
from itertools import product

import pytest
from PIL import Image

from leyenda.errors import DataError, LeyendaError
from leyenda.quickstart import creatures
from leyenda.quickstart.creature_captions import LANGUAGES, captions_of
from leyenda.quickstart.creature_drawing import draw_creature
from leyenda.quickstart.creatures import Creature, kept_for_test, sample
from leyenda.quickstart.dataset import write_dataset
from leyenda.quickstart.spanish import Noun, agree


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    home = tmp_path_factory.mktemp("creatures")
    return {
        language: write_dataset(home / language, language=language, pictures=90) for language in LANGUAGES
    }


def rows(folder, split):
    lines = (folder / split / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def told_about(creatures_seen, language):
    return [
        caption
        for number, creature in enumerate(creatures_seen)
        for caption in captions_of(creature, language, random.Random(number))
    ]


def drawn(for_test, count=800):
    return [sample(random.Random(f"{for_test} {number}"), for_test=for_test) for number in range(count)]


def test_every_row_names_a_picture_of_its_own_with_three_to_five_captions(folders):
    for folder in folders.values():
        names = []
        for split in ("train", "validation", "test"):
            for row in rows(folder, split):
                names.append(row["file_name"])
                assert 3 <= len(set(row["captions"])) == len(row["captions"]) <= 5
                with Image.open(folder / split / row["file_name"]) as picture:
                    assert (picture.mode, picture.size) == ("RGB", (160, 160))
            assert len(rows(folder, split)) == len(list((folder / split).glob("*.png")))
        assert len(names) == len(set(names)) == 90


def test_test_split_shows_combinations_that_training_never_saw():
    def combinations(some):
        return {(creature.colour, creature.place) for creature in some}

    seen, unseen = drawn(for_test=False), drawn(for_test=True, count=200)
    assert not combinations(seen) & combinations(unseen)
    assert combinations(seen) | combinations(unseen) == set(product(creatures.COLOURS, creatures.PLACES))


@pytest.mark.parametrize("attribute", Creature.__dataclass_fields__)
def test_every_single_value_is_seen_in_training(attribute):
    seen = {getattr(creature, attribute) for creature in drawn(for_test=False)}
    unseen = {getattr(creature, attribute) for creature in drawn(for_test=True)}
    assert unseen <= seen


def test_kept_back_pairs_are_a_share_of_every_colour_and_place():
    def creature(colour, place):
        return Creature("round", colour, "white", "horns", None, "happy", "standing", None, place)

    kept = [
        (colour, place)
        for colour, place in product(creatures.COLOURS, creatures.PLACES)
        if kept_for_test(creature(colour, place))
    ]
    assert {colour for colour, _ in kept} == set(creatures.COLOURS)
    assert max(Counter(place for _, place in kept).values()) <= 2


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not(folders, tmp_path):
    again = write_dataset(tmp_path / "again", pictures=90)
    files = sorted(path.relative_to(again) for path in again.rglob("*.*"))
    assert len(files) == 93
    for file in files:
        assert (again / file).read_bytes() == (folders["en"] / file).read_bytes()
    other = write_dataset(tmp_path / "other", pictures=9, seed=1)
    assert rows(other, "test") != rows(write_dataset(tmp_path / "nine", pictures=9), "test")


def test_both_languages_show_the_same_pictures(folders):
    english, spanish = (sorted(folder.rglob("*.png")) for folder in folders.values())
    assert [path.read_bytes() for path in english] == [path.read_bytes() for path in spanish]


@pytest.mark.parametrize(
    ("changed", "value"),
    [
        *[("body", body) for body in creatures.BODIES],
        *[("colour", colour) for colour in creatures.COLOURS if colour != "red"],
        *[("accent", colour) for colour in creatures.COLOURS if colour != "blue"],
        *[("head", head) for head in creatures.HEADS],
        *[("back", back) for back in creatures.BACKS],
        *[("mood", mood) for mood in creatures.MOODS],
        *[("pose", pose) for pose in creatures.POSES],
        *[("thing", thing) for thing in creatures.THINGS],
        *[("place", place) for place in creatures.PLACES],
    ],
)
def test_every_attribute_changes_the_picture(changed, value):
    usual = Creature("tall", "red", "blue", "horns", "wings", "happy", "standing", None, "beach")
    values = {name: getattr(usual, name) for name in Creature.__dataclass_fields__} | {changed: value}
    if values["pose"] == "sleeping":
        values["mood"] = None
    picture = draw_creature(Creature(**values), random.Random(0))
    assert (picture.tobytes() == draw_creature(usual, random.Random(0)).tobytes()) == (
        getattr(usual, changed) == value
    )


def test_captions_have_the_length_of_a_sentence_and_normal_spacing():
    lengths = Counter()
    for language in LANGUAGES:
        for caption in told_about(drawn(for_test=False, count=300), language):
            lengths[len(caption.split())] += 1
            assert caption == re.sub(r"\s+", " ", caption).strip()
            assert not re.search(r"\s[,.]|[^\w\s,.]", caption), caption
    assert min(lengths) >= 5
    assert max(lengths) <= 22
    assert sum(lengths[n] for n in range(8, 17)) > 0.7 * lengths.total()


def test_captions_vary_in_wording_but_agree_on_the_facts():
    balloons = [creature for creature in drawn(for_test=False) if creature.thing == "balloon"]
    for language, word in (("en", "balloon"), ("es", "globo")):
        for creature in balloons:
            assert all(word in caption for caption in captions_of(creature, language, random.Random(1)))
    wordings = {captions_of(balloons[0], "en", random.Random(number)) for number in range(50)}
    assert len(wordings) > 40


def test_english_articles_fit_the_next_word():
    told = " | ".join(told_about(drawn(for_test=False), "en"))
    for article, word in re.findall(r"\b([Aa]n?) (\w+)", told):
        assert (article.lower() == "an") == (word[0] in "aeiou"), (article, word)


def test_spanish_articles_and_colours_agree():
    told = " | ".join(told_about(drawn(for_test=False), "es")).lower()
    feminine = {"criatura", "orejas", "antenas", "flor", "bandera", "estrella", "sonrisa", "cola"}
    masculine = {"monstruo", "bicho", "cuernos", "globo", "paraguas", "helado", "libro", "pez"}
    for noun, colour in re.findall(r"(\w+) ((?:roj|amarill|morad|blanc)\w+)", told):
        if noun in feminine | masculine:
            ending = ("a" if noun in feminine else "o") + ("s" if noun.endswith("s") else "")
            assert colour.endswith(ending), (noun, colour)
    for article, noun in re.findall(r"\b(una?) (\w+)", told):
        if noun in feminine | masculine:
            assert (article == "una") == (noun in feminine), (article, noun)
    assert not re.search(r"\b(de el|a el)\b", told)
    assert {"lágrimas", "árboles", "está"} <= set(re.findall(r"\w+", told))


@pytest.mark.parametrize(
    ("adjective", "noun", "expected"),
    [
        ("rojo", Noun("orejas", "f", plural=True), "rojas"),
        ("naranja", Noun("cuernos", "m", plural=True), "naranjas"),
        ("azul", Noun("alas", "f", plural=True), "azules"),
        ("verde", Noun("criatura", "f"), "verde"),
        ("morado", Noun("criatura", "f"), "morada"),
    ],
)
def test_agreement(adjective, noun, expected):
    assert agree(adjective, noun) == expected


def test_refuses_unknown_languages_full_folders_and_too_few_pictures(tmp_path):
    with pytest.raises(LeyendaError, match=r"'ess'.*Did you mean 'es'"):
        write_dataset(tmp_path / "a", language="ess")
    with pytest.raises(LeyendaError, match="at least 9"):
        write_dataset(tmp_path / "a", pictures=8)
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match="exists already"):
        write_dataset(tmp_path, pictures=9)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
