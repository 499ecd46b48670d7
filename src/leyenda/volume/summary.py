"""What a person is told at the end of a run, or when it was stopped."""

from __future__ import annotations

from collections.abc import Iterator

from leyenda.volume.printed_run import pictures, reason
from leyenda.volume.run import VolumeRun


def summary(run: VolumeRun, again: str) -> Iterator[str]:
    """Failures, where the captions are, and how to go on.

    Args:
        run: the run, ended in any way.
        again: the command that goes on.
    """
    totals = run.totals
    if totals.failed:
        yield f"No caption for {totals.failed:,} of {pictures(totals.inputs)}:"
        for name, skipped in totals.failures:
            yield f"  {reason(name, skipped)}"
        if totals.failed > len(totals.failures):
            more = totals.failed - len(totals.failures)
            yield f'  … and {more:,} more: look for "error" in the output.'
    if run.finished:
        yield f"Wrote {run.output.summary()} ({pictures(totals.inputs)}: {_counts(run)})."
        if totals.to_review:
            yield f"For review, because they are not sure enough: {totals.to_review:,} in {run.output.review}."
    elif totals.inputs:
        yield f"Kept in {run.journal.path}: {pictures(totals.inputs)}. Go on with:"
        yield f"  {again}"


def _counts(run: VolumeRun) -> str:
    totals = run.totals
    parts = [f"{totals.captioned:,} captioned"]
    if totals.copied:
        parts[0] += f", {totals.copied:,} of them as the same picture"
    if totals.kept:
        parts.append(f"{totals.kept:,} had a caption")
    if totals.failed:
        parts.append(f"{totals.failed:,} failed")
    if totals.to_review:
        parts.append(f"{totals.to_review:,} for review")
    return ", ".join(parts)
