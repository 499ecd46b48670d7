"""What a journal still holds after everything that can happen to its file."""

from __future__ import annotations

import json
import random

import pytest

from leyenda.errors import LeyendaError
from leyenda.records import Caption
from leyenda.volume.entry import entry_of
from leyenda.volume.journal import Journal, run_logs

SETTINGS = {"model": "demo", "beams": 1}


@pytest.fixture
def path(tmp_path):
    """A journal of four groups of three entries."""
    journal = Journal(tmp_path / "j", SETTINGS)
    for group in range(4):
        journal.commit([entry_of(f"{group}{one}.png", Caption("a dog", 0.5)) for one in range(3)], sync=False)
    journal.close()
    return tmp_path / "j"


def names(path):
    journal = Journal(path, SETTINGS)
    found = [entry.image for entry in journal.entries()]
    journal.close()
    return found


def test_cut_off_anywhere_it_holds_the_groups_before(path):
    whole = path.read_bytes()
    ends = [0]
    for line in whole.splitlines(keepends=True):
        ends.append(ends[-1] + len(line))
    ends = [end for end, line in zip(ends[1:], whole.splitlines(), strict=True) if b'"group"' in line]
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    for cut in sorted(random.Random(seed).sample(range(len(whole)), 60)):
        path.write_bytes(whole[:cut])
        assert len(names(path)) == 3 * sum(end <= cut for end in ends), cut
        assert not path.read_bytes().removeprefix(b"{").startswith(b"{")


def test_zeros_and_noise_after_a_power_cut(path):
    whole = path.read_bytes()
    middle = whole.index(b"20.png")
    for torn in (whole[:middle] + bytes(len(whole) - middle), whole[:middle] + b"#" + whole[middle + 1 :]):
        path.write_bytes(torn)
        assert names(path) == ["00.png", "01.png", "02.png", "10.png", "11.png", "12.png"]


def test_one_process_at_a_time(path):
    journal = Journal(path, SETTINGS)
    with pytest.raises(LeyendaError, match="is being written by another leyenda"):
        Journal(path, SETTINGS)
    journal.close()
    Journal(path, SETTINGS).close()


def test_other_settings_are_named(path):
    with pytest.raises(
        LeyendaError, match=r"model was \"demo\" and is now \"mine\"; beams was 1 and is now 3"
    ):
        Journal(path, {"model": "mine", "beams": 3})
    assert len(names(path)) == 12


def test_a_file_that_is_no_journal_is_left_alone(tmp_path):
    for text in ('{"image": "a.png", "caption": "a dog", "confidence": 0.5}\n', "a person's work\n"):
        (tmp_path / "j").write_text(text)
        with pytest.raises(LeyendaError, match="is not the journal of a run"):
            Journal(tmp_path / "j", SETTINGS)
        assert (tmp_path / "j").read_text() == text


def test_begun_anew_only_once(path):
    journal = Journal(path, SETTINGS, overwrite=True)
    assert list(journal.entries()) == []
    journal.commit([entry_of("new.png", Caption("a dog", 0.5))], sync=True)
    journal.close()
    journal = Journal(path, SETTINGS, overwrite=True)  # the same command, after it was killed
    assert [entry.image for entry in journal.entries()] == ["new.png"]
    journal.close()


def test_a_record_is_never_forgotten(path):
    journal = Journal(path, SETTINGS | {"beams": 3}, overwrite=True, record=True)
    assert list(journal.entries()) == []
    journal.close()
    first, second = run_logs(path)
    assert (first.groups, first.finished) == (4, {"given_up": True})
    assert (second.groups, second.finished) == (0, None)


def test_a_record_holds_many_runs(path):
    for number in range(2):
        journal = Journal(path, SETTINGS)
        journal.finish({"number": number})
        journal.close()
        journal = Journal(path, SETTINGS | {"beams": 3 + number})
        journal.commit([entry_of("x.png", Caption("a cat", 0.5))], sync=True)
        journal.finish({})
        journal.close()
        journal = Journal(path, SETTINGS)
        journal.close()
    runs = run_logs(path)
    assert [run.settings["beams"] for run in runs] == [1, 3, 1, 4, 1]
    assert [run.groups for run in runs] == [4, 1, 0, 1, 0]
    assert [run.finished is None for run in runs] == [False, False, False, False, True]


def test_a_name_that_is_no_utf8_comes_back(tmp_path):
    odd = "a\udcf1\udcff\n\u2028.png"
    journal = Journal(tmp_path / "j", SETTINGS)
    journal.commit([entry_of(odd, Caption("¿qué?", 0.5))], sync=True)
    journal.close()
    (tmp_path / "j").read_text(encoding="utf-8")
    assert names(tmp_path / "j") == [odd]
    assert json.loads((tmp_path / "j").read_text().split("\n")[1])["image"] == odd
