"""The Captioner: any kind of picture, one or many, in order, and a bad one costs only itself."""

from __future__ import annotations

import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from PIL import Image

from leyenda import Captioner, models
from leyenda.errors import ImageError, LeyendaError, ModelError
from leyenda.inference.ahead import reading_threads
from leyenda.models import DEFAULT_MODEL, GenerationSettings
from leyenda.records import Caption, ImageSource, Skipped


@pytest.fixture(scope="module")
def captioner(tiny_checkpoint):
    return Captioner.from_pretrained(tiny_checkpoint, device="cpu", max_length=8)


@pytest.fixture(scope="module")
def arrays():
    """Nine pictures of several sizes."""
    random = np.random.default_rng(2)
    return [random.integers(0, 256, (30 + 7 * n, 60 - 3 * n, 3), dtype=np.uint8) for n in range(9)]


def png(array) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def words(results):
    return [(r.text, r.token_ids) if isinstance(r, Caption) else r.code for r in results]


def test_every_kind_of_input_gives_the_same_caption(captioner, arrays, tmp_path):
    data = png(arrays[0])
    path = tmp_path / "a.png"
    path.write_bytes(data)
    shard = tmp_path / "shard.bin"
    shard.write_bytes(b"before" + data + b"after")
    kinds = [
        arrays[0],
        Image.open(path),
        data,
        bytearray(data),
        path,
        str(path),
        ImageSource(str(shard), 6, len(data)),
    ]
    captions = [captioner(kind) for kind in kinds]
    captions.append(captioner(io.BytesIO(data)))
    with path.open("rb") as file:
        captions.append(captioner(file))
    kinds += [io.BytesIO(data), io.BytesIO(data)]
    assert {caption.text for caption in captions} == {captions[0].text}
    assert captions[0].text
    assert 0 < captions[0].confidence <= 1
    assert words(captioner(kinds)) == words(captions)


def test_a_file_open_as_text_is_no_picture(captioner, tmp_path):
    (tmp_path / "a.png").write_bytes(b"x\ny\n")
    with (tmp_path / "a.png").open() as file, pytest.raises(ImageError, match="open as text"):
        captioner(file)


def test_an_address_is_fetched(captioner, arrays):
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/a.png" else 404)
            self.end_headers()
            self.wfile.write(png(arrays[0]))

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        assert captioner(f"{address}/a.png").text == captioner(arrays[0]).text
        (missing,) = captioner([f"{address}/b.png"])
        assert missing.code == "url"
        assert "404" in missing.message
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("batch_size", [1, 2, 3, 8, 9, 50])
def test_captions_do_not_depend_on_the_batch_size(captioner, arrays, batch_size):
    alone = [captioner(array) for array in arrays]
    results = list(captioner.stream(arrays, batch_size))
    assert all(given is array for (given, _), array in zip(results, arrays, strict=True))
    assert words(result for _, result in results) == words(alone)
    for (_, result), one in zip(results, alone, strict=True):
        assert result.confidence == pytest.approx(one.confidence, rel=1e-5)
    assert len({one.text for one in alone}) > 1


@pytest.mark.parametrize("options", [{"beams": 3}, {"sample": True, "seed": 3}])
def test_beams_and_samples_do_not_depend_on_the_batch_size_either(tiny_checkpoint, arrays, options):
    captioner = Captioner.from_pretrained(
        tiny_checkpoint, device="cpu", max_length=6, batch_size=4, **options
    )
    assert words(captioner(arrays)) == words(captioner(array) for array in arrays)


def test_it_says_what_transformers_alone_says(tiny_checkpoint, shared):
    """From the file to the words, on photographs: decoding, preparation, search and text."""
    from transformers import AutoModelForCausalLM, AutoProcessor

    captioner = Captioner.from_pretrained(tiny_checkpoint, device="cpu", max_length=8, exact_decode=True)
    processor = AutoProcessor.from_pretrained(tiny_checkpoint)
    model = AutoModelForCausalLM.from_pretrained(tiny_checkpoint)
    photographs = sorted((shared / "data" / "flickr8k-800" / "Images").glob("*.jpg"))[:6]
    for photograph, caption in zip(photographs, captioner(photographs), strict=True):
        inputs = processor(images=Image.open(photograph).convert("RGB"), return_tensors="pt")
        ids = model.generate(pixel_values=inputs["pixel_values"], max_new_tokens=8)
        assert caption.token_ids == tuple(ids[0, 1:].tolist())
        assert caption.text == processor.batch_decode(ids, skip_special_tokens=True)[0].strip()


def test_bad_pictures_among_good_ones(captioner, arrays, tmp_path):
    truncated = png(arrays[1])[:200]
    line = np.zeros((1, 300, 3), np.uint8)
    inputs = [
        arrays[0],
        b"",
        tmp_path / "none.jpg",
        arrays[1],
        b"GIF is not this",
        truncated,
        line,
        7,
        None,
        arrays[2],
    ]
    results = captioner(inputs)
    assert words(results) == [
        *words([captioner(arrays[0])]),
        "empty",
        "missing",
        *words([captioner(arrays[1])]),
        "not_an_image",
        "truncated",
        "unreadable",
        "unreadable",
        "unreadable",
        *words([captioner(arrays[2])]),
    ]
    for result in results:
        if isinstance(result, Skipped):
            assert result.message
            assert "\n" not in result.message
    assert results == captioner(inputs)


@pytest.mark.parametrize(
    ("picture", "code"), [("none.jpg", "missing"), (b"", "empty"), (None, "unreadable"), (7, "unreadable")]
)
def test_one_bad_picture_is_an_error(captioner, picture, code):
    with pytest.raises(ImageError) as caught:
        captioner(picture)
    assert caught.value.code == code


def test_no_pictures_are_no_captions(captioner):
    assert captioner([]) == []
    assert captioner(iter([b""]))[0].code == "empty"


def test_a_stream_is_read_only_as_far_as_needed(captioner, arrays):
    read, ahead = [], max(4, reading_threads())

    def pictures():
        for number in range(1000):
            read.append(number)
            yield arrays[number % 9] if number % 3 else b""

    stream = captioner.stream(pictures(), batch_size=4)
    assert read == []
    for expected, (_, result) in zip(range(40), stream, strict=False):
        assert isinstance(result, Skipped) == (expected % 3 == 0)
        # A batch of four good ones among bad ones is at most seven inputs; as many as the next batch are ahead.
        assert len(read) <= expected + 7 + ahead


def test_bad_pictures_in_a_row_do_not_pile_up(captioner, arrays):
    read = 0

    def pictures():
        nonlocal read
        yield arrays[0]
        for _ in range(500):
            read += 1
            yield b""

    stream = captioner.stream(pictures(), batch_size=4)
    assert isinstance(next(stream)[1], Caption)
    assert read < 20 + reading_threads()
    assert sum(1 for _ in stream) == 500


def test_pictures_are_generated_for_in_full_batches(captioner, arrays, monkeypatch):
    sizes = []
    generate = type(captioner.model).generate

    def watched(self, pixel_values, settings, **words):
        sizes.append(len(pixel_values))
        return generate(self, pixel_values, settings, **words)

    monkeypatch.setattr(type(captioner.model), "generate", watched)
    inputs = [arrays[0], b"", arrays[1], arrays[2], b"", b"", arrays[3], arrays[4]]
    list(captioner.stream(inputs, batch_size=2))
    assert sizes == [2, 2, 1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch_size": 0}, "The batch size is 0. It must be a whole number from 1 up."),
        ({"batch_size": 2.5}, "The batch size is 2.5."),
        ({"batch_size": True}, "The batch size is True."),
        ({"max_pixels": 0}, "max_pixels is 0. It must be a whole number from 1 up."),
        ({"beams": 0}, "beams is 0."),
        ({"min_length": 9, "max_length": 8}, "min_length (9) is more than max_length (8)."),
    ],
)
def test_settings_are_checked_before_the_model_is_looked_for(options, words):
    with pytest.raises(LeyendaError) as caught:
        Captioner.from_pretrained("/no/such/model", **options)
    assert str(caught.value).startswith(words)


def test_settings_and_origin_are_what_is_asked_for(tiny_checkpoint, monkeypatch):
    search = {"max_length": 9, "min_length": 3, "sample": True, "temperature": 0.5, "top_p": 0.7, "seed": 4}
    origin = {"device": "cpu", "precision": "bf16", "revision": "v1", "token": "hf_x"}
    model = models.load(tiny_checkpoint, device="cpu")
    asked = {}

    def load(name, **given):
        asked.update(given)
        return model

    monkeypatch.setattr("leyenda.models.load", load)
    captioner = Captioner.from_pretrained("a/b", **search, **origin)
    assert asked == origin | {"captions_only": True}
    assert captioner.settings == GenerationSettings(**search)
    assert Captioner.from_pretrained("a/b", beams=3).settings == GenerationSettings(beams=3)


def test_the_pixel_limit_can_be_lowered_and_raised(captioner, arrays):
    width, height = 60, 30
    for limit, skipped in ((width * height - 1, True), (width * height, False)):
        strict = Captioner(captioner.model, captioner.settings, max_pixels=limit)
        (result,) = strict([arrays[0]])
        assert isinstance(result, Skipped) == skipped
    with pytest.raises(ImageError, match=r"1,800 in all; the limit is 9. .*--max-pixels"):
        Captioner(captioner.model, max_pixels=9)(arrays[0])


def test_a_stream_checks_its_batch_size_at_once(captioner):
    with pytest.raises(LeyendaError, match="The batch size is -1"):
        captioner.stream([], batch_size=-1)


def test_more_tokens_than_the_model_can_write(tiny_checkpoint):
    with pytest.raises(LeyendaError, match=r"min_length is 64, but .* writes at most 63 tokens"):
        Captioner.from_pretrained(tiny_checkpoint, device="cpu", min_length=64, max_length=70)


def test_the_default_model_needs_a_hub():
    with pytest.raises(ModelError, match=DEFAULT_MODEL) as caught:
        Captioner.from_pretrained()
    assert len(str(caught.value).splitlines()) == 2


FULL = [
    torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
    RuntimeError("[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 274877906944 bytes."),
    RuntimeError("MPS backend out of memory (MPS allocated: 8.82 GB)."),
    MemoryError(),
]


@pytest.fixture
def small_memory(captioner, monkeypatch):
    """A function: how many pictures fit, and what is raised otherwise -> the batch sizes tried."""

    def shrink(most, error=FULL[0]):
        sizes = []
        generate = type(captioner.model).generate

        def cramped(self, pixel_values, settings, **words):
            sizes.append(len(pixel_values))
            if len(pixel_values) > most:
                raise error
            return generate(self, pixel_values, settings, **words)

        monkeypatch.setattr(type(captioner.model), "generate", cramped)
        return sizes

    return shrink


@pytest.mark.parametrize("error", FULL, ids=lambda error: str(error)[:30])
def test_a_batch_that_is_too_large_for_the_memory_is_halved(captioner, arrays, small_memory, error, capsys):
    expected = words(captioner(arrays))
    cramped = Captioner(captioner.model, captioner.settings)
    sizes = small_memory(3, error)
    results = list(cramped.stream([arrays[0], b"", *arrays[1:], *arrays], batch_size=8))
    assert words(result for _, result in results) == [expected[0], "empty", *expected[1:], *expected]
    # The smaller size is kept.
    assert sizes[:2] == [8, 4]
    assert set(sizes[2:]) <= {1, 2}
    assert capsys.readouterr().err.splitlines() == [
        "The memory of this machine is too small for 8 pictures together. Going on with 4 at a time.",
        "The memory of this machine is too small for 4 pictures together. Going on with 2 at a time.",
    ]


def test_one_picture_that_is_too_large_for_the_memory(captioner, arrays, small_memory):
    cramped = Captioner(captioner.model, captioner.settings, talk=lambda line: None)
    small_memory(0)
    with pytest.raises(
        LeyendaError, match=r"^The memory of this machine is too small for one picture. Use a"
    ):
        cramped(arrays[:3])
    beams = Captioner(captioner.model, GenerationSettings(beams=3), talk=lambda line: None)
    with pytest.raises(LeyendaError, match=r"Use fewer beams"):
        beams(arrays[0])


def test_captions_that_were_finished_are_given_before_the_memory_ends(captioner, arrays, monkeypatch):
    generate = type(captioner.model).generate
    calls = []

    def failing(self, pixel_values, settings, **words):
        calls.append(len(pixel_values))
        if len(pixel_values) > 1 or len(calls) > 6:
            raise FULL[0]
        return generate(self, pixel_values, settings, **words)

    monkeypatch.setattr(type(captioner.model), "generate", failing)
    cramped = Captioner(captioner.model, captioner.settings, talk=lambda line: None)
    given = []
    with pytest.raises(LeyendaError):
        for _, result in cramped.stream(arrays, 8):
            given.append(result)
    assert calls[:4] == [8, 4, 2, 1]
    assert len(given) == 3


def test_any_other_error_of_the_model_is_not_taken_for_memory(captioner, arrays, small_memory):
    sizes = small_memory(0, RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"))
    with pytest.raises(RuntimeError, match="must match"):
        captioner(arrays)
    assert sizes == [len(arrays)]


def test_memory_that_is_really_too_small(captioner, arrays):
    """The operating system refuses it: 2 pictures fit, 8 do not."""
    import resource

    class Greedy(type(captioner.model)):
        def generate(self, pixel_values, settings, **words):
            torch.empty(len(pixel_values) << 28, dtype=torch.uint8)  # 256 MB a picture
            return super().generate(pixel_values, settings, **words)

    model = captioner.model
    greedy = Greedy(
        model.name, model.model, model.processor, model.tokenizer, model.image_processor, model.family
    )
    expected = words(captioner(arrays))
    told = []
    before = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as status:
        used = int(status.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (5 << 28), before[1]))
    try:
        results = Captioner(greedy, captioner.settings, batch_size=8, talk=told.append)(arrays)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert words(results) == expected
    assert len(told) == 1
    assert "too small for 8 pictures together. Going on with 4" in told[0]


def test_a_large_photograph_is_decoded_at_reduced_scale_unless_exactly_is_asked_for(captioner, monkeypatch):
    from leyenda.images import model_input

    file = io.BytesIO()
    Image.new("RGB", (1600, 1200)).save(file, "JPEG")
    sizes = []
    open_picture = model_input.open_picture

    def watched(*arguments, **options):
        sizes.append(open_picture(*arguments, **options))
        return sizes[-1]

    monkeypatch.setattr(model_input, "open_picture", watched)
    captioner(file.getvalue())
    Captioner(captioner.model, exact_decode=True)(file.getvalue())
    assert [picture.size for picture in sizes] == [(200, 150), (1600, 1200)]
