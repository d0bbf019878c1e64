"""The folder of a training run: what is spooled, what an interrupted run leaves, and what it refuses."""

import hashlib
import json

import pytest

from real_cli.errors import RealError, UsageError
from real_cli.io.checkpoint_marks import seal
from real_cli.train.folder import Workspace, read_spool
from tests.train.training import located

RECORDS = located(
    [{"prompt": "q", "chosen": "a", "rejected": "b"}, {"prompt": "é", "chosen": "c\n\t", "rejected": "d"}]
)
LINES = '{"prompt":"q","chosen":"a","rejected":"b"}\n{"prompt":"é","chosen":"c\\n\\t","rejected":"d"}\n'.encode()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "aligned"


def opened(folder, *, resume=False):
    workspace = Workspace(folder, resume=resume)
    workspace.open()
    return workspace


def checkpoint(folder, step, *, whole=True):
    path = folder / f"checkpoint-{step}"
    path.mkdir()
    (path / "trainer_state.json").write_text("{}")
    if whole:
        seal(path)
    return path


# The folder


def test_nothing_is_made_before_the_run_opens_it(folder):
    Workspace(folder, resume=False)
    assert not folder.exists()


def test_an_empty_folder_is_as_good_as_none(folder):
    folder.mkdir()
    opened(folder)
    assert (folder / ".work").is_dir()


def test_a_file_is_refused(folder):
    folder.write_text("")
    with pytest.raises(UsageError) as caught:
        Workspace(folder, resume=False)
    assert str(caught.value) == f"--output {folder}: is a file; a folder is needed"


def test_a_folder_of_someone_else_is_refused_and_not_touched(folder):
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match="is not empty and not from 'real train-dpo'; name another folder"):
        Workspace(folder, resume=False)
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("mark", [".work", "real.json"])
def test_a_folder_of_an_earlier_run_is_taken(folder, mark):
    folder.mkdir()
    (folder / mark).mkdir() if mark == ".work" else (folder / mark).write_text("{}")
    opened(folder)


def test_a_folder_of_another_command_is_refused(folder):
    """A soup has a manifest too, and its training would replace it."""
    folder.mkdir()
    (folder / "real.json").write_text('{"command": "soup"}')
    with pytest.raises(UsageError, match="is not empty and not from 'real train-dpo'"):
        Workspace(folder, resume=False)


def test_a_new_run_removes_the_manifest_spool_and_checkpoints_of_the_earlier_one(folder):
    opened(folder).spool("train", RECORDS)
    (folder / "real.json").write_text("{}")
    checkpoint(folder, 5)
    workspace = opened(folder)
    assert (folder / "real.json").exists()  # until there is something to put in its place
    workspace.begin(workspace.spool("train", RECORDS[:1]), {})
    assert sorted(path.name for path in folder.iterdir()) == [".work"]
    assert len(list((folder / ".work").glob("*.jsonl"))) == 1


def test_a_resumed_run_keeps_them(folder):
    opened(folder).spool("train", RECORDS)
    path = checkpoint(folder, 5)
    opened(folder, resume=True)
    assert path.is_dir()
    assert len(list((folder / ".work").glob("train-*.jsonl"))) == 1


# The spool


def test_records_are_spooled_under_the_hash_of_their_bytes_and_read_again(folder):
    spooled = opened(folder).spool("train", iter(RECORDS))
    digest = hashlib.sha256(LINES).hexdigest()
    assert spooled == (folder / ".work" / f"train-{digest[:16]}.jsonl", digest, 2)
    first, second = LINES.splitlines(keepends=True)
    assert spooled.path.read_bytes() == b'"pairs.jsonl:1"\t' + first + b'"pairs.jsonl:2"\t' + second
    assert list(read_spool(spooled)) == list(read_spool(spooled)) == RECORDS


def test_the_same_records_from_another_file_are_the_same_data(folder):
    """A run that was stopped goes on with them; their places are those of the file that is given now."""
    first = opened(folder).spool("train", RECORDS)
    moved = located([record for _, record in RECORDS], "a\tb.jsonl")
    assert opened(folder, resume=True).spool("train", moved) == first
    assert [line.place for line in read_spool(first)] == ["a\tb.jsonl:1", "a\tb.jsonl:2"]


def test_a_spool_of_before_places_is_read_and_its_lines_are_the_places(folder):
    """An earlier version began the run: the records alone, under the same hash."""
    first = opened(folder).spool("train", RECORDS)
    first.path.write_bytes(LINES)
    spooled = opened(folder, resume=True).spool("train", [])
    assert spooled == first
    assert list(read_spool(spooled)) == located([record for _, record in RECORDS], first.path)


def test_a_spool_that_breaks_off_leaves_no_spool_that_could_be_taken_for_whole(folder):
    def broken():
        yield RECORDS[0]
        raise RealError("gone")

    workspace = opened(folder)
    with pytest.raises(RealError, match="gone"):
        workspace.spool("train", broken())
    assert list((folder / ".work").glob("*.jsonl")) == []


def test_a_resumed_run_without_input_takes_the_records_of_the_earlier_one(folder):
    first = opened(folder).spool("train", RECORDS)
    assert opened(folder, resume=True).spool("train", []) == first
    assert sorted(path.name for path in (folder / ".work").iterdir()) == [first.path.name]


def test_a_resumed_run_with_the_same_input_goes_on(folder):
    first = opened(folder).spool("train", RECORDS)
    assert opened(folder, resume=True).spool("train", RECORDS) == first


def test_a_resumed_run_with_other_input_is_refused_and_the_spool_kept(folder):
    first = opened(folder).spool("train", RECORDS)
    with pytest.raises(RealError) as caught:
        opened(folder, resume=True).spool("train", RECORDS[::-1])
    assert str(caught.value) == (
        f"--resume: the train records are not those that {folder} was trained on: they are others, or an earlier "
        "version read them otherwise; leave them out to go on with the records of then"
    )
    assert [path.name for path in (folder / ".work").iterdir()] == [first.path.name]


def test_training_and_held_out_records_lie_side_by_side(folder):
    workspace = opened(folder)
    train, held_out = workspace.spool("train", RECORDS), workspace.spool("eval", RECORDS)
    assert train.path != held_out.path
    assert list(read_spool(held_out)) == RECORDS


# Settings


def test_a_resumed_run_has_the_settings_of_the_earlier_one(folder):
    settings = {"beta": 0.1, "loss": "dpo", "reference": None}
    opened(folder).check_settings(settings)
    opened(folder, resume=True).check_settings(dict(reversed(settings.items())))


def test_other_settings_are_refused_by_name_with_what_they_were(folder):
    workspace = opened(folder)
    workspace.begin(workspace.spool("train", RECORDS), {"beta": 0.1, "loss": "dpo", "seed": 1})
    with pytest.raises(UsageError) as caught:
        opened(folder, resume=True).check_settings({"beta": 0.2, "loss": "ipo", "seed": 1})
    assert str(caught.value) == (
        "--resume: go on with the settings of the run (beta was 0.1, loss was dpo), or start anew without it"
    )
    opened(folder, resume=True).check_settings({"beta": 0.1, "loss": "dpo", "seed": 1})  # still those of the run


def test_a_new_run_may_have_other_settings(folder):
    opened(folder).check_settings({"beta": 0.1})
    opened(folder).check_settings({"beta": 0.2})


# Checkpoints


def test_the_last_checkpoint_is_the_one_with_the_highest_step_not_the_longest_name(folder):
    workspace = opened(folder, resume=True)
    for step in (9, 100, 20):
        checkpoint(folder, step)
    assert workspace.last_checkpoint(folder) == folder / "checkpoint-100"
    (folder / "stage-2").mkdir()
    assert workspace.last_checkpoint(folder / "stage-2") is None
    checkpoint(folder / "stage-2", 3)
    assert workspace.last_checkpoint(folder / "stage-2") == folder / "stage-2" / "checkpoint-3"


def test_a_checkpoint_that_was_not_written_to_its_end_does_not_count(folder):
    workspace = opened(folder, resume=True)
    checkpoint(folder, 10)
    checkpoint(folder, 20, whole=False)
    assert workspace.last_checkpoint(folder) == folder / "checkpoint-10"


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_a_checkpoint_that_has_changed_since_it_was_marked_does_not_count(folder, content):
    """Its mark too may be torn; a file that somebody adds changes nothing."""
    workspace = opened(folder, resume=True)
    for step in (10, 20, 30, 40):
        checkpoint(folder, step)
    (folder / "checkpoint-40" / "trainer_state.json").write_text(content)
    (folder / "checkpoint-30" / "whole.json").write_text(content)
    (folder / "checkpoint-20" / "notes.txt").write_text(content)
    (folder / "checkpoint-best").mkdir()
    assert workspace.last_checkpoint(folder) == folder / "checkpoint-20"


@pytest.mark.parametrize("resume", [True, False])
def test_without_a_checkpoint_or_without_resume_a_run_starts_at_the_beginning(folder, resume):
    workspace = opened(folder, resume=resume)
    if not resume:
        checkpoint(folder, 10)
    assert workspace.last_checkpoint(folder) is None


@pytest.mark.parametrize(
    ("keep", "left"), [(True, ["checkpoint-10", "model.safetensors"]), (False, ["model.safetensors"])]
)
def test_at_the_end_only_the_result_stays_and_the_checkpoints_that_were_asked_for(folder, keep, left):
    workspace = opened(folder)
    workspace.spool("train", RECORDS)
    checkpoint(folder, 10)
    (folder / "model.safetensors").write_text("")
    workspace.clear(keep_checkpoints=keep)
    assert sorted(path.name for path in folder.iterdir()) == left


def test_a_resumed_run_knows_whether_its_records_are_the_tokens_that_they_were(tmp_path):
    """The same goes on, others are refused; a run of an earlier version kept no digest, which is told."""
    rows = located([{"prompt": "a", "chosen": "b", "rejected": "c"}])

    def begun(*, resume):
        workspace = Workspace(tmp_path / "out", resume=resume)
        workspace.open()
        workspace.begin(workspace.spool("train", rows), {"seed": 1})
        return workspace

    assert begun(resume=False).check_tokens("first")
    assert begun(resume=True).check_tokens("second")  # no checkpoint was there to go on from
    (tmp_path / "out" / "checkpoint-1").mkdir()
    assert begun(resume=True).check_tokens("second")
    with pytest.raises(UsageError, match="the records are other tokens than when the run began"):
        begun(resume=True).check_tokens("third")
    settings = tmp_path / "out" / ".work" / "settings.json"
    content = json.loads(settings.read_bytes())
    assert content.pop("tokens_sha256") == "second"
    settings.write_text(json.dumps(content))
    assert not begun(resume=True).check_tokens("third")


# Going on where the run is the same


def test_a_run_of_the_same_settings_goes_on_and_another_begins_anew(folder):
    """As a Makefile asks for it, which cannot know whether settings or records have changed."""
    workspace = opened(folder)
    workspace.begin(workspace.spool("train", RECORDS), {"learning_rate": 1})
    checkpoint(folder, 3)
    same = Workspace(folder, resume=False, if_same=True)
    same.check_settings({"learning_rate": 1})
    same.spool("train", RECORDS)
    assert (same.is_resumed, same.given_up, same.why_anew) == (True, None, "")
    assert same.last_checkpoint(folder) == folder / "checkpoint-3"
    changed = Workspace(folder, resume=False, if_same=True)
    changed.check_settings({"learning_rate": 2})
    assert (changed.is_resumed, changed.given_up) == (False, folder / "checkpoint-3")
    assert changed.why_anew == "its settings were others (learning_rate was 1), and the run begins anew"
    other = Workspace(folder, resume=False, if_same=True)
    other.check_settings({"learning_rate": 1})
    spooled = other.spool("train", RECORDS[:1])
    assert (other.is_resumed, other.given_up) == (False, folder / "checkpoint-3")
    assert other.why_anew == "its train records were others, and the run begins anew"
    other.begin(spooled, {"learning_rate": 1})
    assert not (folder / "checkpoint-3").exists()


def test_a_finished_run_that_was_not_cleaned_up_is_no_run_to_go_on_with(folder):
    """Make asks again because its pairs are others; the old result would stand for theirs."""
    workspace = opened(folder)
    workspace.begin(workspace.spool("train", RECORDS), {"learning_rate": 1})
    (folder / "real.json").write_text('{"result": {"step": 4}}')
    again = Workspace(folder, resume=False, if_same=True)
    assert (again.is_resumed, again.result) == (False, None)
    assert Workspace(folder, resume=True).result == {"step": 4}


def test_where_nothing_was_begun_or_all_is_finished_a_run_begins(folder):
    assert not Workspace(folder, resume=False, if_same=True).is_resumed
    folder.mkdir()
    (folder / "real.json").write_text("{}")
    assert not Workspace(folder, resume=False, if_same=True).is_resumed


def test_a_refused_run_leaves_no_folder_and_one_that_had_begun_keeps_its_records(folder):
    """What was refused before its first step has nothing to go on from; an earlier run's records stay."""
    with pytest.raises(RealError, match="no such model"), Workspace(folder, resume=False) as workspace:
        workspace.open()
        raise RealError("no such model")
    assert not folder.exists()
    folder.mkdir()
    with pytest.raises(RealError), Workspace(folder, resume=False) as workspace:
        workspace.open()
        raise RealError("no such model")
    assert list(folder.iterdir()) == []
    with pytest.raises(RealError), Workspace(folder, resume=False) as workspace:
        workspace.open()
        workspace.keep()
        raise RealError("diverged")
    with pytest.raises(RealError), Workspace(folder, resume=False) as workspace:
        raise RealError("no such model")
    assert workspace.work.exists()
