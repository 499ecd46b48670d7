"""Which pictures the words of a command line mean."""

from __future__ import annotations

import io
import os

import pytest

from leyenda.errors import LeyendaError
from leyenda.jobs.picture_inputs import collect_pictures

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with pictures, other files, hidden ones and folders."""
    for name in (
        "b.jpg",
        "a.PNG",
        "notes.txt",
        ".hidden.jpg",
        "deep/er/c.webp",
        "deep/d.jpeg",
        ".cache/e.jpg",
        "set[1].jpg",
        "empty/readme.md",
        "dir.jpg/f.jpg",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*words, data=b""):
    return [picture.name for picture in collect_pictures(words, io.BytesIO(data)).pictures]


def test_a_folder_is_the_pictures_in_and_below_it_sorted(here):
    assert names("deep") == ["deep/d.jpeg", "deep/er/c.webp"]
    expected = ["a.PNG", "b.jpg", "deep/d.jpeg", "deep/er/c.webp", "dir.jpg/f.jpg", "set[1].jpg"]
    assert names(".") == expected
    assert names(str(here)) == [str(here / name) for name in expected]
    assert names("deep/") == ["deep/d.jpeg", "deep/er/c.webp"]


def test_globs(here):
    assert names("*.jpg") == ["b.jpg", "set[1].jpg"]
    assert names("**/*.jp*g") == ["b.jpg", "deep/d.jpeg", "dir.jpg/f.jpg", "set[1].jpg"]
    assert names("*") == ["a.PNG", "b.jpg", "set[1].jpg"]
    assert names("[ab].*") == ["a.PNG", "b.jpg"]


def test_a_file_whose_name_looks_like_a_glob(here):
    assert names("set[1].jpg") == ["set[1].jpg"]


def test_words_keep_their_order_and_their_spelling(here):
    words = [
        "b.jpg",
        "./b.jpg",
        "deep",
        "https://example.org/a?size=[1]&x=*",
        "nope.jpg",
        "notes.txt",
        "b.jpg",
    ]
    assert names(*words) == [*words[:2], "deep/d.jpeg", "deep/er/c.webp", *words[3:]]


def test_which_inputs_are_one_picture(here):
    def single(*words, data=b""):
        return collect_pictures(words, io.BytesIO(data)).single

    assert single("b.jpg")
    assert single("https://example.org/a.jpg")
    assert single("-", data=PNG)
    assert not single("b.jpg", "a.PNG")
    assert not single("deep")
    assert not single("b*.jpg")
    assert not single("-", data=b"b.jpg\n")


def test_a_picture_on_standard_input(here):
    (picture,) = collect_pictures(["-"], io.BytesIO(PNG)).pictures
    assert (picture.name, picture.source) == ("-", PNG)


@pytest.mark.parametrize(
    "data",
    [b"%PDF-1.7\n%\xe2\xe3\0\x01", b"\0\0\0\x18ftypheic", b"P3\n2 1\n255\n0 0 0 9 9 9\n", b"BM6\0\0\0"],
)
def test_bytes_that_are_no_list_are_one_picture(here, data):
    (picture,) = collect_pictures(["-"], io.BytesIO(data)).pictures
    assert picture.source == data


def test_a_list_on_standard_input(here):
    listed = "b.jpg\r\n\n  a.PNG  \nBM.jpg\nhttps://example.org/ñ.jpg\n*.jpg".encode()
    assert names("-", data=b"\xef\xbb\xbf" + listed) == [
        "b.jpg",
        "a.PNG",
        "BM.jpg",
        "https://example.org/ñ.jpg",
        "*.jpg",  # what `find` and `ls` print are names, never patterns
    ]
    assert names("-", data=b"BMW.jpg\nb.jpg") == ["BMW.jpg", "b.jpg"]


def test_names_that_are_no_utf8(here):
    odd = os.fsdecode(b"a\xe9o.jpg")
    (here / odd).write_bytes(b"")
    assert odd in names("*.jpg")
    assert names("-", data=b"a\xe9o.jpg\n") == [odd]


def test_a_link_whose_target_has_gone_is_still_an_input(here):
    (here / "deep" / "gone.jpg").symlink_to("nowhere.jpg")
    assert "deep/gone.jpg" in names("deep")


def test_folders_that_link_to_themselves_end(here):
    (here / "deep" / "again").symlink_to(here / "deep")
    assert names("deep") == ["deep/d.jpeg", "deep/er/c.webp"]


@pytest.mark.parametrize(
    ("words", "data", "message"),
    [
        ([], b"", "No picture is named."),
        (["empty"], b"", "The folder 'empty' holds no picture."),
        (["b.jpg", "empty"], b"", "The folder 'empty' holds no picture."),
        (["*.gif"], b"", "No picture matches '*.gif'."),
        (["*.txt"], b"", "No picture matches '*.txt'."),
        (["nope.jpg"], b"", "There is no file 'nope.jpg'. Check the name and the folder."),
        (["nope.jpg", "no.png"], b"", "There is no file 'nope.jpg' (nor is any of the others there)."),
        (["nowhere/"], b"", "There is no file 'nowhere/'."),
        (["a\0b.jpg"], b"", "There is no file 'a\\x00b.jpg'."),
        (["-"], b"", "Standard input is empty."),
        (["-"], b" \n\n", "Standard input is empty."),
        (["-"], b"nope.jpg\n", "There is no file 'nope.jpg'."),
        (["-", "-"], b"", "Standard input (-) is named twice."),
    ],
)
def test_nothing_to_caption(here, words, data, message):
    with pytest.raises(LeyendaError) as caught:
        collect_pictures(words, io.BytesIO(data))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_folder_that_may_not_be_read(here, monkeypatch):
    scandir = os.scandir

    def refuse(place):
        if str(place).endswith("er"):
            raise PermissionError(13, "Permission denied", place)
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(LeyendaError, match=r"The folder 'deep/er' cannot be read: Permission denied."):
        collect_pictures(["deep"])
