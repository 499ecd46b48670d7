"""With a frozen image encoder its output is computed once for each picture, and never used when it could be wrong."""

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from leyenda import models
from leyenda.data.cache import cache_folder
from leyenda.data.examples import Examples
from leyenda.errors import DiskError
from leyenda.images.preparation import preparation_of
from leyenda.models import GenerationSettings
from leyenda.records import Example, ImageSource
from leyenda.training import feature_cache
from leyenda.training.feature_cache import ImageFeatures, open_images
from leyenda.training.feature_file import FeatureFile
from leyenda.training.pairs import Pairs, collate
from leyenda.training.pictures import Pictures


@pytest.fixture
def model(tiny_checkpoint):
    return models.load(tiny_checkpoint, device="cpu")


def paint(path: Path, number: int) -> None:
    picture = Image.effect_mandelbrot((60, 45), (-2.0 + number / 9, -1.5, 1.0, 1.5), 80)
    picture = picture.convert("RGB").point(lambda value: (value * (number + 1) + 9 * number) % 256)
    picture.save(path)


def example(path: Path, *captions: str) -> Example:
    return Example(path.name, ImageSource(str(path)), captions or ("a red dog", "a cat sleeps"), "train")


@pytest.fixture
def examples(tmp_path):
    (tmp_path / "data").mkdir()
    paths = [tmp_path / "data" / f"{number}.png" for number in range(9)]
    for number, path in enumerate(paths):
        paint(path, number)
    return Examples.from_rows(map(example, paths))


class Encoded(list):
    """The sizes of the batches that the image encoder really saw."""


@pytest.fixture
def encoded(monkeypatch):
    """How many pictures went through the image encoder, batch by batch."""
    sizes = Encoded()
    rows = feature_cache._Encoder.rows

    def counted(self, pixel_values):
        sizes.append(len(pixel_values))
        return rows(self, pixel_values)

    monkeypatch.setattr(feature_cache._Encoder, "rows", counted)
    return sizes


def opened(model, *parts, lines=None, **changes):
    settings = {"frozen": True, "augment": False, "precision": "fp32", "talk": [].append, "batch_size": 4}
    if lines is not None:
        settings["talk"] = lines.append
    return open_images(model, parts, **settings | changes)


def plain_features(model, examples):
    """What the vision tower of `transformers` gives for pixels, read without the cache."""
    pixel_values = Pictures(model).inputs(list(examples))["pixel_values"]
    with torch.no_grad():
        return model.model.eval().git.image_encoder(pixel_values).last_hidden_state


def assert_right(run, model, examples):
    features = run.images.inputs(list(examples))["image_features"]
    torch.testing.assert_close(features, plain_features(model, examples), rtol=2**-8, atol=1e-5)


def files() -> list[Path]:
    return sorted((cache_folder() / "features").glob("*/*.features"))


def test_features_read_are_those_that_the_encoder_gives(model, examples, encoded):
    lines = []
    run = opened(model, examples, lines=lines)
    assert isinstance(run.images, ImageFeatures)
    assert encoded == [4, 4, 1]
    assert_right(run, model, examples)
    backwards = list(examples)[::-1]
    assert_right(run, model, backwards)
    positions, width = plain_features(model, examples[:1]).shape[1:]
    size = positions * width * 2 * 9
    assert len(lines) == 1
    assert (
        f"{positions} x {width} x 2 bytes x 9 pictures = {size / 1000:.0f} kB in {run.images.folder}"
        in lines[0]
    )
    assert 0 <= files()[0].stat().st_size - size < 1000, "what was announced is what is on the disk"


def test_a_second_run_encodes_nothing(model, examples, encoded, tiny_checkpoint):
    opened(model, examples)
    encoded.clear()
    lines = []
    again = models.load(tiny_checkpoint, device="cpu")
    assert_right(opened(again, examples, lines=lines), model, examples)
    assert encoded == []
    assert lines == ["Image features of 9 pictures are in the cache: " + str(files()[0].parent)]


def test_new_pictures_alone_are_encoded(model, examples, encoded, tmp_path):
    opened(model, examples[:6])
    encoded.clear()
    lines = []
    assert_right(opened(model, examples[:5], examples[5:], lines=lines), model, examples)
    assert encoded == [3]
    assert "x 3 pictures" in lines[0]
    assert "beside those of 6" in lines[0]


def test_equal_pictures_are_encoded_once_and_names_do_not_matter(model, examples, encoded, tmp_path):
    same = tmp_path / "same.png"
    same.write_bytes(Path(examples[2].image.path).read_bytes())
    shard = tmp_path / "shard.tar"
    shard.write_bytes(b"x" * 512 + same.read_bytes() + b"y" * 100)
    inside = Example("in a shard", ImageSource(str(shard), 512, same.stat().st_size), ("a",), "train")
    three = Examples.from_rows([examples[2], example(same), inside])
    run = opened(model, three)
    assert encoded == [1]
    assert_right(run, model, three)


def test_the_parts_keep_their_order_and_what_is_broken_is_named(model, examples, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"this is no picture")
    rows = list(examples)
    absent, broken = example(tmp_path / "absent.jpg"), example(tmp_path / "broken.jpg")
    silent = Example("silent.png", rows[0].image, ("",), "train")
    for _ in range(2):  # what is in the cache does not hide it
        run = opened(
            model, Examples.from_rows([broken, *rows[:4], silent]), Examples.from_rows([rows[5], absent])
        )
        assert [part.ids() for part in run.parts] == [["0.png", "1.png", "2.png", "3.png"], ["5.png"]]
        assert {name: why.code for name, why in run.skipped.items()} == {
            "broken.jpg": "not_an_image",
            "silent.png": "no_caption",
            "absent.jpg": "missing",
        }
        assert str(tmp_path / "broken.jpg") in run.skipped["broken.jpg"].message


def other_weights(model, examples):
    with torch.no_grad():
        weight = next(iter(model.family.image_encoder(model.model).parameters()))
        weight.view(-1)[0] += 1.0


def other_preparation(model, examples):
    model.image_processor.image_mean = [0.4, 0.5, 0.6]
    model.preparation = preparation_of(model.image_processor.to_dict())


def other_picture(model, examples):
    path = Path(examples[0].image.path)
    before = path.stat()
    paint(path, 10)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def cut_off(model, examples):
    for path in files():
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size - 1)


def empty(model, examples):
    for path in files():
        path.write_bytes(b"")


def half(model, examples):
    for path in files():
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def longer(model, examples):
    for path in files():
        path.write_bytes(b"\0" * 64 + path.read_bytes())


def flip(place):
    def damage(model, examples):
        for path in files():
            data = bytearray(path.read_bytes())
            data[place] ^= 4
            path.write_bytes(data)

    return damage


@pytest.mark.parametrize(
    ("change", "encoded_again"),
    [
        (other_weights, [4, 4, 1]),
        (other_preparation, [4, 4, 1]),
        (other_picture, [1]),
        (cut_off, [4, 4, 1]),
        (empty, [4, 4, 1]),
        (half, [4, 4, 1]),
        (longer, [4, 4, 1]),
        (flip(40), [1]),
        (flip(-100), [4, 4, 1]),
        (flip(-30), [4, 4, 1]),
    ],
)
def test_what_is_stale_or_torn_is_encoded_again(model, examples, encoded, change, encoded_again):
    opened(model, examples)
    encoded.clear()
    change(model, examples)
    assert_right(opened(model, examples), model, examples)
    assert encoded == encoded_again
    encoded.clear()
    assert_right(opened(model, examples), model, examples)
    assert encoded == [], "what was rebuilt is found"


def test_every_flipped_bit_is_noticed(model, examples):
    opened(model, examples)
    (path,) = files()
    whole = path.read_bytes()
    for place in [*range(0, len(whole), len(whole) // 40), *range(len(whole) - 80, len(whole), 7)]:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        assert_right(opened(model, examples), model, examples)
        for left in files():
            left.unlink()
        path.write_bytes(whole)


def test_precision_is_part_of_what_features_are(model, examples, encoded):
    opened(model, examples)
    run = opened(model, examples, precision="bf16")
    assert encoded == [4, 4, 1] * 2
    features = run.images.inputs(list(examples))["image_features"]
    assert features.dtype == torch.bfloat16
    torch.testing.assert_close(features.float(), plain_features(model, examples), rtol=0.1, atol=0.1)


def test_random_views_keep_the_pixels_and_say_so(model, examples, encoded):
    lines = []
    run = opened(model, examples, augment=True, lines=lines)
    assert isinstance(run.images, Pictures)
    assert encoded == files() == []
    assert len(lines) == 1
    assert "data.augment" in lines[0]
    assert "every step" in lines[0]


def test_without_a_frozen_encoder_nothing_is_kept(model, examples, encoded):
    lines = []
    run = opened(model, examples, frozen=False, lines=lines)
    assert isinstance(run.images, Pictures)
    assert encoded == files() == lines == []
    assert run.images.inputs(examples[:2])["pixel_values"].shape == (2, 3, 32, 32)


def test_the_model_is_left_in_the_state_it_was_in(model, examples):
    model.model.train()
    opened(model, examples)
    assert model.model.training


def test_training_on_features_is_training_on_pixels(model, examples, tiny_checkpoint):
    run = opened(model, examples)
    losses = {}
    for name, images in (("features", run.images), ("pixels", Pictures(model))):
        tuned = models.load(tiny_checkpoint, device="cpu")
        tuned.model.train()
        torch.manual_seed(0)
        for weight in tuned.family.image_encoder(tuned.model).parameters():
            weight.requires_grad_(False)
        for module in tuned.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        pairs = Pairs(examples, tuned, images, captions="all")
        learner = torch.optim.AdamW([w for w in tuned.model.parameters() if w.requires_grad], lr=1e-2)
        losses[name] = []
        for epoch in range(6):
            loss = tuned.model(
                **collate(tuned, pairs.__getitems__([(epoch, n) for n in range(len(pairs))]))
            ).loss
            loss.backward()
            learner.step()
            learner.zero_grad()
            losses[name].append(loss.item())
    assert losses["features"] == pytest.approx(losses["pixels"], rel=2e-3)
    assert losses["pixels"][-1] < 0.9 * losses["pixels"][0], "something was learned"


def test_captions_from_features_are_captions_from_pixels(model, examples):
    run = opened(model, examples)
    settings = GenerationSettings(max_length=8)
    by_features = model.generate(**run.images.inputs(list(examples)), settings=settings)
    by_pixels = model.generate(Pictures(model).inputs(list(examples))["pixel_values"], settings)
    assert [one.text for one in by_features] == [one.text for one in by_pixels]


def test_it_goes_through_pickle_without_its_rows(model, examples):
    run = opened(model, examples)
    sent = pickle.dumps(run.images)
    assert len(sent) < 5000
    run_again = pickle.loads(sent)
    assert torch.equal(
        run_again.inputs(list(examples))["image_features"],
        run.images.inputs(list(examples))["image_features"],
    )


KILLED = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from leyenda import models
    from leyenda.data.examples import Examples
    from leyenda.records import Example, ImageSource
    from leyenda.training import feature_cache
    feature_cache._FILE_BYTES = int(sys.argv[3])
    add, added = feature_cache.FeatureWriter.add, []
    def stop_in_the_middle(self, digest, row):
        add(self, digest, row)
        self._file.flush()
        added.append(digest)
        if len(added) == 7:
            os.kill(os.getpid(), signal.SIGKILL)
    feature_cache.FeatureWriter.add = stop_in_the_middle
    paths = sorted(Path(sys.argv[2]).iterdir())
    rows = [Example(path.name, ImageSource(str(path)), ("a",), "train") for path in paths]
    feature_cache.open_images(
        models.load(sys.argv[1], device="cpu"), [Examples.from_rows(rows)],
        frozen=True, augment=False, precision="fp32", talk=print, batch_size=4,
    )
""")


def test_kill_9_in_the_middle_of_writing(model, examples, encoded, tiny_checkpoint, tmp_path):
    three_rows = 3 * plain_features(model, examples[:1]).numel() * 2
    words = [sys.executable, "-c", KILLED, str(tiny_checkpoint), str(tmp_path / "data"), str(three_rows)]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    assert len(files()) == 2
    assert len(list(cache_folder().rglob("*.partial"))) == 1
    assert_right(opened(model, examples), model, examples)
    assert encoded == [3], "the two whole files are used, the torn one is not"
    assert list(cache_folder().rglob("*.partial")) == []


def test_two_at_once_share_the_work(model, examples, encoded, tiny_checkpoint):
    other = models.load(tiny_checkpoint, device="cpu")
    lines, runs = [], {}
    holding = threading.Event()

    def hold(line):
        holding.set()
        lines.append(line)

    def start(name, which):
        runs[name] = opened(which, examples, talk=hold)

    threads = [threading.Thread(target=start, args=item) for item in (("a", model), ("b", other))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert encoded == [4, 4, 1]
    for run in runs.values():
        assert_right(run, model, examples)


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], check=True)
    monkeypatch.setenv("LEYENDA_CACHE", str(disk))
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_too_little_room_is_said_and_training_goes_on(model, examples, small_disk):
    (small_disk / "others").write_bytes(b"x" * 62_000)
    lines = []
    run = opened(model, examples, lines=lines)
    assert isinstance(run.images, Pictures)
    assert [part.ids() for part in run.parts] == [examples.ids()]
    (line,) = lines
    assert "are free" in line
    assert "every step" in line
    assert "LEYENDA_CACHE" in line


def test_a_disk_that_fills_up_meanwhile(model, examples, small_disk, monkeypatch):
    (small_disk / "others").write_bytes(b"x" * 62_000)
    monkeypatch.setattr(feature_cache.shutil, "disk_usage", lambda folder: SimpleNamespace(free=1 << 40))
    with pytest.raises(DiskError, match="disk is full"):
        opened(model, examples)
    assert [path.name for path in small_disk.rglob("*") if path.is_file()].count(".lock") == 1
    assert not [path for path in small_disk.rglob("*features*") if path.is_file()]


def test_a_cache_that_may_not_be_written(model, examples, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("LEYENDA_CACHE", str(tmp_path / "file"))
    lines = []
    assert isinstance(opened(model, examples, lines=lines).images, Pictures)
    assert "Not a directory" in lines[0]


def test_reading_leaves_nothing_in_memory(model, examples, tmp_path):
    """What a process maps counts as its memory once it is read, unless it is given back."""
    from leyenda.training.feature_file import FeatureWriter

    with FeatureWriter(tmp_path / "large.features") as writer:
        for number in range(64):
            writer.add(bytes([number]) * 32, torch.full((197, 768), number, dtype=torch.int16).numpy())
        writer.finish()
    file = FeatureFile(tmp_path / "large.features")
    images = ImageFeatures({str(n): (file, n) for n in range(64)}, tmp_path, torch.bfloat16)
    named = [Example(str(n), ImageSource(""), ("a",), None) for n in range(64)]
    images.inputs(named[:1])
    resident = _mapped_bytes(file.path)
    for start in range(0, 64, 8):
        images.inputs(named[start : start + 8])
    assert _mapped_bytes(file.path) <= resident + 302_592


def _mapped_bytes(path: Path) -> int:
    """Bytes of a mapped file that are in this process's memory now."""
    lines = Path("/proc/self/smaps").read_text().splitlines()
    starts = [number for number, line in enumerate(lines) if line.endswith(str(path))]
    return sum(
        int(next(line for line in lines[n:] if line.startswith("Rss:")).split()[1]) * 1024 for n in starts
    )


def test_a_checkpoint_that_captions_from_pixels_only(model, examples, encoded):
    model.model.generation_config.no_repeat_ngram_size = 2
    lines = []
    assert isinstance(opened(model, examples, lines=lines).images, Pictures)
    assert encoded == []
    assert "generation settings" in lines[0]
