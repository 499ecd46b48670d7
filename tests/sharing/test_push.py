from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
from tests.fakes.hub import FakeHub

from leyenda.errors import DiskError, HubError, LeyendaError
from leyenda.jobs.push import push


def push_to(hub: FakeHub, run: Path, repo_id: str = "ana/birds", **options) -> tuple[str, str]:
    """`(address, what was told)`."""
    told: list[str] = []
    options.setdefault("token", None)
    address = push(run, repo_id, endpoint=hub.url, tell=told.append, **options)
    return address, "\n".join(told)


def test_everything_a_stranger_needs_arrives_in_one_commit(hub: FakeHub, run_folder: Path):
    token = hub.add_user("ana")
    address, told = push_to(hub, run_folder, token=token, message="Birds of my garden")
    assert address == f"{hub.url}/ana/birds"
    commits = hub.repository("ana/birds").commits
    assert [commit.message for commit in commits] == ["initial commit", "Birds of my garden"]
    files = hub.files("ana/birds")
    assert set(files) == {
        *(".gitattributes", "README.md", "recipe.yaml", "metrics.json"),
        *("config.json", "generation_config.json", "model.safetensors"),
        *("processor_config.json", "tokenizer.json", "tokenizer_config.json"),
    }
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        assert files[name] == (run_folder / "model" / name).read_bytes()
    size = sum(len(content) for name, content in files.items() if name != ".gitattributes")
    assert f"{size / 1000:.1f} kB in 9 files" in told
    for name in ("checkpoints/", "model/optimizer.pt", "model/photo.jpg", "predictions.jsonl"):
        assert name in told.rpartition("Not sent: ")[2].split(", ")


def test_secrets_and_paths_of_this_machine_stay_here(hub: FakeHub, run_folder: Path):
    push_to(hub, run_folder, token=hub.add_user("ana"))
    sent = b"\n".join(hub.files("ana/birds").values()) + b"".join(each.body for each in hub.requests)
    for private in (b"hf_very_secret", b"/home/ana", b"hf_ana_write"):
        assert private not in sent
    assert json.loads(hub.files("ana/birds")["metrics.json"])["tuned"]["metrics"]["wer"] == 0.4


def test_a_name_without_owner_goes_under_the_token_s_own(hub: FakeHub, run_folder: Path):
    address, _ = push_to(hub, run_folder, "birds", token=hub.add_user("ana"))
    assert address == f"{hub.url}/ana/birds"
    assert "model.safetensors" in hub.files("ana/birds")


def test_the_token_of_the_environment_is_used(hub: FakeHub, run_folder: Path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", hub.add_user("ana"))
    push_to(hub, run_folder)
    assert "model.safetensors" in hub.files("ana/birds")


def test_a_bare_model_folder_can_be_pushed(hub: FakeHub, tiny_checkpoint: Path):
    push_to(hub, tiny_checkpoint, token=hub.add_user("ana"))
    files = hub.files("ana/birds")
    assert "model.safetensors" in files
    assert "recipe.yaml" not in files
    assert "metrics.json" not in files
    assert b"without a record of its training" in files["README.md"]


def test_a_branch_is_made_and_main_left_alone(hub: FakeHub, run_folder: Path):
    address, _ = push_to(hub, run_folder, token=hub.add_user("ana"), revision="second-try")
    assert address == f"{hub.url}/ana/birds/tree/second-try"
    assert "model.safetensors" in hub.files("ana/birds", "second-try")
    assert set(hub.files("ana/birds")) == {".gitattributes"}


def test_private_means_private(hub: FakeHub, run_folder: Path):
    push_to(hub, run_folder, token=hub.add_user("ana"), private=True)
    assert hub.repository("ana/birds").private


def test_private_is_not_pushed_to_a_repository_that_everyone_sees(hub: FakeHub, run_folder: Path):
    hub.add_repository("ana/birds", {})
    with pytest.raises(HubError, match="everyone can see it") as caught:
        push_to(hub, run_folder, token=hub.add_user("ana"), private=True)
    assert "--private" in str(caught.value)
    assert len(hub.repository("ana/birds").commits) == 1


def test_an_earlier_model_leaves_no_files_that_would_be_loaded_with_the_new_one(
    hub: FakeHub, run_folder: Path
):
    earlier = {
        "preprocessor_config.json": b"{}",
        "model-00001-of-00002.safetensors": b"x",
        "notes.txt": b"mine",
    }
    hub.add_repository("ana/birds", earlier)
    _, told = push_to(hub, run_folder, token=hub.add_user("ana"))
    files = hub.files("ana/birds")
    assert "preprocessor_config.json" not in files
    assert "model-00001-of-00002.safetensors" not in files
    assert files["notes.txt"] == b"mine"
    assert "preprocessor_config.json" in told.rpartition("Deleting")[2]
    assert len(hub.repository("ana/birds").commits) == 2


def test_pushing_again_sends_the_weights_once(hub: FakeHub, run_folder: Path):
    token = hub.add_user("ana")
    push_to(hub, run_folder, token=token)
    push_to(hub, run_folder, token=token, license_id="mit")
    assert sum(request.method == "PUT" for request in hub.requests) == 1
    assert len(hub.repository("ana/birds").commits) == 3
    push_to(hub, run_folder, token=token, license_id="mit")
    assert len(hub.repository("ana/birds").commits) == 3


def test_the_card_that_a_person_wrote_is_sent_as_it_is(hub: FakeHub, run_folder: Path):
    card = "---\nlicense: mit\n---\n\n# My birds\n\nSeen from the kitchen.\n"
    (run_folder / "README.md").write_text(card)
    push_to(hub, run_folder, token=hub.add_user("ana"))
    assert hub.files("ana/birds")["README.md"].decode() == card


def test_all_that_is_wrong_is_said_at_once_before_the_hub_is_asked(hub: FakeHub, run_folder: Path):
    (run_folder / "metrics.json").unlink()
    (run_folder / "model" / "tokenizer.json").unlink()
    with pytest.raises(LeyendaError) as caught:
        push_to(hub, run_folder, "ana--birds")
    message = str(caught.value)
    for part in ("4 things", "metrics.json", "no tokenizer", "'ana--birds'", "hf auth login", "HF_TOKEN"):
        assert part in message
    assert "\n" not in message
    assert hub.requests == []


@pytest.mark.parametrize(
    ("owner", "write", "token", "expected"),
    [
        ("ana", True, "hf_wrong", ["does not accept the token", "hf auth login", "HF_TOKEN"]),
        ("ana", False, None, ["may not write to 'ana/birds'", "write permission"]),
        ("bob", True, None, ["may not write to 'ana/birds'", "another name"]),
    ],
)
def test_a_token_that_will_not_do(hub: FakeHub, run_folder: Path, owner, write, token, expected):
    mine = hub.add_user(owner, write=write)
    with pytest.raises(HubError) as caught:
        push_to(hub, run_folder, token=token or mine)
    assert all(part in str(caught.value) for part in expected), str(caught.value)
    assert "\n" not in str(caught.value)
    assert ("models", "ana/birds") not in hub.repositories


@pytest.mark.parametrize(
    ("method", "path", "status", "expected"),
    [
        ("POST", "repos/create", 503, ["out of order (status 503)", "Run the same command again"]),
        ("POST", "repos/create", None, ["connection to the hub failed", "Run the same command again"]),
        ("POST", "repos/create", 404, ["no repository 'ana/birds'", "Check the name"]),
        ("POST", "repos/create", 429, ["asked too often", "Wait"]),
        ("POST", "preupload", 500, ["out of order (status 500)"]),
        ("POST", "lfs/objects/batch", 507, ["status 507"]),
        ("PUT", "objects/", None, ["connection to the hub failed", "Run the same command again"]),
        ("PUT", "objects/", 503, ["out of order (status 503)"]),
        ("PUT", "objects/", 403, ["may not write"]),
        ("POST", "objects/verify", 400, ["refuses (status 400)", "out of order"]),
        ("POST", "/commit/", None, ["connection to the hub failed"]),
        ("POST", "/commit/", 413, ["refuses (status 413)"]),
    ],
)
def test_what_the_hub_answers_becomes_one_line_and_nothing_is_committed(
    hub: FakeHub, run_folder: Path, method, path, status, expected
):
    token = hub.add_user("ana")
    hub.fail(method, path, status)
    with pytest.raises(HubError) as caught:
        push_to(hub, run_folder, token=token)
    assert all(part in str(caught.value) for part in expected), str(caught.value)
    assert "\n" not in str(caught.value)
    repository = hub.repositories.get(("models", "ana/birds"))
    assert repository is None or len(repository.commits) == 1


def test_an_upload_that_breaks_off_is_tried_again(hub: FakeHub, run_folder: Path):
    hub.fail("PUT", "objects/", None, times=2)
    push_to(hub, run_folder, token=hub.add_user("ana"))
    assert (
        hub.files("ana/birds")["model.safetensors"] == (run_folder / "model/model.safetensors").read_bytes()
    )


def test_no_hub_at_that_address(run_folder: Path, hub: FakeHub):
    token = hub.add_user("ana")
    with pytest.raises(HubError, match=r"connection to the hub failed.*HF_ENDPOINT"):
        push(run_folder, "ana/birds", token=token, endpoint="http://127.0.0.1:9", tell=lambda line: None)


def test_offline_by_choice(run_folder: Path, hub: FakeHub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(HubError, match="Unset HF_HUB_OFFLINE"):
        push_to(hub, run_folder, token=hub.add_user("ana"))


def test_a_full_disk(run_folder: Path, hub: FakeHub, monkeypatch):
    from huggingface_hub import HfApi

    def no_room(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(HfApi, "create_commit", no_room)
    with pytest.raises(DiskError, match="disk is full"):
        push_to(hub, run_folder, token=hub.add_user("ana"))


def test_a_card_that_the_hub_cannot_read(hub: FakeHub, run_folder: Path):
    (run_folder / "README.md").write_text("---\nlicense: [mit\n---\n# x\n")
    with pytest.raises(HubError, match=r"README\.md") as caught:
        push_to(hub, run_folder, token=hub.add_user("ana"))
    assert "\n" not in str(caught.value)
