"""`--engine ray`: Ray Train starts a training run's processes, on a cluster or here, and starts them again."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leyenda.config import Recipe
from leyenda.errors import LeyendaError, RunError
from leyenda.jobs.ray_cluster import connected, cores, require_ray

if TYPE_CHECKING:
    from leyenda.jobs.train import TrainingResult

_TRIES_AGAIN = 3
"""How often the processes are started again after one has died; each time they go on from the last checkpoint."""

_PATIENCE_SECONDS = 7 * 24 * 3600
"""How long a process waits for the others; that one is dead is for Ray to notice."""

_SECONDS_BETWEEN_LOOKS = 0.2
_OTHERS_MAY_TAKE_SECONDS = 3.0


def train_with_ray(
    recipe: Recipe,
    output: str | Path,
    *,
    workers: int | None = None,
    address: str | None = None,
    **options: Any,
) -> TrainingResult:
    """As `leyenda.jobs.train.train`, in processes that Ray Train starts; the result is that of `torchrun`.

    Every machine of the cluster needs leyenda, and sees data and run folder under the same paths.

    Args:
        recipe: everything that decides the run.
        output: the run's folder.
        workers: processes; None takes one for each GPU of the cluster, or one where it has none.
        address: of a running cluster; None starts one on this machine.
        options: more arguments of `train`, `talk` apart: lines go to standard error.

    Raises:
        MissingExtra: Ray is not installed.
        LeyendaError: as for `train`.
        RunError: the cluster is too small, or the processes died again and again.
        KeyboardInterrupt: stopped by the user; the run's last checkpoint is whole.
    """
    require_ray()
    sys.stderr.write("Starting the processes on Ray.\n")
    with connected(address, max(cores(), workers or 1)) as ray, _storage(Path(output), address) as storage:
        from ray.train import FailureConfig, RunConfig
        from ray.train.torch import TorchConfig, TorchTrainer

        mailbox = ray.remote(num_cpus=0)(Mailbox).remote()
        order = {
            "recipe": recipe.model_dump(),
            "output": str(output),
            "options": options,
            "folder": os.getcwd(),
            "mailbox": mailbox,
            "terminal": sys.stderr.isatty(),
        }
        trainer = TorchTrainer(
            work,
            train_loop_config=order,
            torch_config=TorchConfig(timeout_s=_PATIENCE_SECONDS),
            scaling_config=_scaling(ray, recipe, workers),
            run_config=RunConfig(
                name="training", storage_path=storage, failure_config=FailureConfig(_TRIES_AGAIN)
            ),
        )
        with _words_shown(ray, mailbox):
            failure = _fit(trainer)
        outcome = ray.get(mailbox.outcome.remote())
    if isinstance(outcome, LeyendaError):
        raise outcome
    if outcome is None:
        raise RunError(
            f"Training on Ray failed: {failure or 'its processes ended without a result.'}",
            "What is done is kept; go on with --resume.",
        )
    result: TrainingResult = outcome
    return result


class Mailbox:
    """Where the processes leave what they have to say; an actor of Ray."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._outcome: Any = None
        self._begun = 0
        self._ended = 0

    def begin(self) -> int:
        """How often the processes were started before."""
        self._begun += 1
        return self._begun - 1

    def say(self, words: str) -> None:
        """Words for the user's standard error."""
        self._words.append(words)

    def taken(self) -> str:
        """What was said since the last call."""
        words, self._words = "".join(self._words), []
        return words

    def end(self, outcome: Any) -> None:
        """The first outcome counts: a result, or an error that the user can mend."""
        self._outcome = self._outcome or outcome
        self._ended += 1

    def ended(self) -> int:
        """How many outcomes there were."""
        return self._ended

    def outcome(self) -> Any:
        """The outcome, or None."""
        return self._outcome


class _Words:
    """Standard error of the main process, which the user sees elsewhere."""

    def __init__(self, mailbox: Any, terminal: bool) -> None:
        self._mailbox = mailbox
        self._terminal = terminal

    def write(self, words: str) -> int:
        self._mailbox.say.remote(words)
        return len(words)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return self._terminal


def work(order: Mapping[str, Any]) -> None:
    """What each process does; `order` is what `train_with_ray` was asked for."""
    import ray

    mailbox = order["mailbox"]
    if ray.get(mailbox.outcome.remote()) is not None:
        return  # started again after an error that will not go away
    os.chdir(order["folder"])
    own_stderr = sys.stderr
    is_main = os.environ.get("RANK", "0") == "0"
    options = dict(order["options"])
    if is_main:
        sys.stderr = _Words(mailbox, order["terminal"])
        options["resume"] = ray.get(mailbox.begin.remote()) > 0 or options.get("resume", False)
    else:
        os.environ["TQDM_DISABLE"] = "1"
    from leyenda.config import validate_recipe
    from leyenda.jobs.train import train

    try:
        result = train(validate_recipe(order["recipe"]), order["output"], **options)
    except LeyendaError as error:
        ray.get(mailbox.end.remote(error))
        if not _all_have_ended(ray, mailbox):
            raise  # for Ray to end the others, who wait for this one
        return
    finally:
        sys.stderr = own_stderr
    if is_main:
        ray.get(mailbox.end.remote(result))


def _all_have_ended(ray: Any, mailbox: Any) -> bool:
    """Whether all processes end with an error: most are found by all of them at once."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    deadline = time.monotonic() + _OTHERS_MAY_TAKE_SECONDS
    while ray.get(mailbox.ended.remote()) < count:
        if time.monotonic() > deadline:
            return False
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return True


def _scaling(ray: Any, recipe: Recipe, workers: int | None) -> Any:
    """How many processes, and what each takes of the cluster.

    Raises:
        RunError: the cluster has not that much.
    """
    from ray.train import ScalingConfig

    have = ray.cluster_resources()
    gpus = 0 if (recipe.model.device or "").startswith("cpu") else int(have.get("GPU", 0))
    count = workers or gpus or 1
    use_gpu = gpus >= count
    if gpus and not use_gpu:
        raise RunError(
            f"The Ray cluster has {gpus} GPUs, and {count} workers need one each.",
            f"Use --workers {gpus}, or train on the CPU with --device cpu.",
        )
    if int(have.get("CPU", 0)) < count:
        raise RunError(
            f"The Ray cluster has {int(have.get('CPU', 0))} CPUs for {count} workers.", "Use fewer --workers."
        )
    machines = [node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]]
    fullest = -(-count // len(machines))
    threads = 1 if use_gpu else max(1, int(min(machines) // fullest))
    return ScalingConfig(num_workers=count, use_gpu=use_gpu, resources_per_worker={"CPU": threads})


def _fit(trainer: Any) -> str:
    """Train to the end; what went wrong, in a line, or nothing.

    Raises:
        KeyboardInterrupt: stopped by the user.
    """
    from ray.train import TrainingFailedError

    try:
        trainer.fit()
    except SystemExit as stopped:
        if stopped.code:
            raise
        raise KeyboardInterrupt from stopped  # how Ray answers Ctrl-C
    except TrainingFailedError as error:
        causes = list(getattr(error, "worker_failures", {}).values()) or [error]
        lines = str(causes[0]).strip().splitlines()
        return lines[-1] if lines else type(causes[0]).__name__
    return ""


@contextlib.contextmanager
def _words_shown(ray: Any, mailbox: Any) -> Iterator[None]:
    """What the main process says appears on this one's standard error."""
    over = threading.Event()

    def show() -> None:
        while not over.wait(_SECONDS_BETWEEN_LOOKS):
            sys.stderr.write(ray.get(mailbox.taken.remote()))
            sys.stderr.flush()

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        sys.stderr.write(ray.get(mailbox.taken.remote()))
        sys.stderr.flush()


@contextlib.contextmanager
def _storage(output: Path, address: str | None) -> Iterator[str]:
    """A folder for what Ray Train notes down while it works, where all machines see it; gone afterwards."""
    if address is None:
        with tempfile.TemporaryDirectory(prefix="leyenda-ray-") as folder:
            yield folder
        return
    folder = str(output.absolute().with_name(f".{output.name}.ray"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
