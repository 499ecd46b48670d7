"""What is said while a run goes on: events for programs, lines in a log, a bar on a terminal."""

from __future__ import annotations

import json
import time

from leyenda.volume import open_run
from leyenda.volume.progress import Bar, LogLines, Pace, watched


def test_events(caption, photos):
    (photos / "bad.png").write_bytes(b"")
    code, out, _ = caption("photos", "-o", "out.jsonl", "--json")
    assert code == 3
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["event"] for event in events if event["event"] != "progress"] == ["start", "failed", "done"]
    assert events[0]["journal"] == "out.jsonl.partial"
    (failed,) = [event for event in events if event["event"] == "failed"]
    assert failed["image"] == "photos/bad.png"
    assert failed["error"]["code"] == "empty"
    done = events[-1]
    assert done["inputs"] == done["total"] == 7
    assert (done["captioned"], done["failed"], done["seconds_left"]) == (6, 1, 0.0)
    assert done["reasons"] == {"empty": 1}
    assert done["pictures_per_second"] > 0


def test_lines_in_a_log(tiny_checkpoint, photos):
    run = open_run(["photos"], output="out.jsonl", model=str(tiny_checkpoint), device="cpu", batch_size=1)
    said: list[str] = []
    for _ in watched(run, LogLines(Pace(run), said.append, every_s=0)):
        pass
    assert len(said) == 7
    assert said[-1].startswith("6 of 6 pictures, 0 failed, ")
    assert said[-1].endswith(" pictures/s, 0 s left")


def test_a_bar_on_a_terminal(tiny_checkpoint, photos, capsys):
    (photos / "bad.png").write_bytes(b"")
    run = open_run(["photos"], output="out.jsonl", model=str(tiny_checkpoint), device="cpu", batch_size=1)
    for _ in watched(run, Bar(Pace(run), after_s=0)):
        time.sleep(0.15)
    shown = capsys.readouterr().err
    assert "7/7 [" in shown
    assert "pictures/s, 1 failed]" in shown
