"""`decode`: telephone photographs to model input, against the checkpoint's own processor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.comparison import Benchmark, Claim, Target, rate
from benchmarks.material import Scale, write_model, write_photographs
from benchmarks.turns import Turns, Work


@dataclass(frozen=True)
class ProcessorDecoding:
    """Pillow opens the file, the checkpoint's `AutoProcessor` makes pixel values of it.

    Args:
        checkpoint: whose processor.
        pictures: files.
    """

    checkpoint: Path
    pictures: Sequence[Path]
    label: str = "Pillow and the checkpoint's processor"
    number_format: str = "fp32"

    def run(self, turns: Turns) -> None:
        from PIL import Image
        from transformers import AutoProcessor

        processor = AutoProcessor.from_pretrained(self.checkpoint)
        while True:
            turns.begin()
            for path in self.pictures:
                with Image.open(path) as picture:
                    processor(images=picture.convert("RGB"), return_tensors="pt")
            turns.end(Work(len(self.pictures)))


@dataclass(frozen=True)
class OwnDecoding:
    """What leyenda's captioner does before the model, in its threads: read, decode, resize, normalise.

    Args:
        checkpoint: whose input is wanted.
        pictures: files.
        exact: `--exact-decode`.
    """

    checkpoint: Path
    pictures: Sequence[Path]
    exact: bool = False
    number_format: str = "fp32"

    @property
    def label(self) -> str:
        """With or without the decoder's own scaling."""
        return "leyenda, --exact-decode" if self.exact else "leyenda"

    def run(self, turns: Turns) -> None:
        import torch

        from leyenda import models
        from leyenda.inference.ahead import in_order_ahead, reading_threads

        model = models.load(self.checkpoint, device="cpu")
        threads = reading_threads()

        def prepare(path: Path) -> torch.Tensor:
            return model.open(path, exact_decode=self.exact)

        while True:
            turns.begin()
            opened = in_order_ahead(prepare, self.pictures, ahead=len(self.pictures), threads=threads)
            ready = model.normalized(torch.stack([pixels for _, pixels in opened]))
            turns.end(Work(len(ready)))


def benchmark(folder: Path, scale: Scale) -> Benchmark:
    """Files go into `folder`."""
    checkpoint = write_model(folder / "model", scale)
    size = (640, 480) if scale.quick else (4000, 3000)
    pictures = write_photographs(folder / "photographs", scale.of(12, 3), *size)
    return Benchmark(
        name="decode",
        work="Turn JPEG photographs of 12 megapixels into pixel values for a model that looks at 224 x 224.",
        unit="images",
        claims=[
            Claim(
                "images/s over the checkpoint's own processor",
                rate,
                "leyenda",
                "processor",
                Target(at_least=8),
            ),
            Claim("images/s with --exact-decode over the same", rate, "leyenda_exact", "processor", Target()),
        ],
        sides={
            "processor": ProcessorDecoding(checkpoint, pictures),
            "leyenda": OwnDecoding(checkpoint, pictures),
            "leyenda_exact": OwnDecoding(checkpoint, pictures, exact=True),
        },
        rounds=scale.of(5, 2),
    )
