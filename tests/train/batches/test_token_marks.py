"""Which stop words bmc-code leaves out: NLTK's where its data are, else ours, and that is told."""

import zipfile

import pytest

from real_cli.records.choices import TokenLayout
from real_cli.text.stopwords import FUNCTION_WORDS
from real_cli.train.batches.collate import Collator
from real_cli.train.batches.token_marks import ignored_tokens, stop_words
from real_cli.train.objective import Need


class Letters:
    """A tokenizer of lower-case letters and three words."""

    pad_token_id = 0
    words = ("of", "Of", "und")

    def __len__(self):
        return 30

    def tokenize(self, word):
        return [word] if word in self.words else list(word)

    def convert_tokens_to_ids(self, tokens):
        return [27 + self.words.index(item) if item in self.words else ord(item) - 96 for item in tokens]

    def decode(self, ids):
        (token,) = ids
        return self.words[token - 27] if token > 26 else chr(token + 96)


@pytest.fixture
def no_data(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NLTK_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("real_cli.train.batches.token_marks.SHARED_FOLDERS", ())
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    (tmp_path / "data" / "corpora").mkdir(parents=True)
    return tmp_path / "data" / "corpora"


def test_without_nltks_data_ours_are_taken_and_told(no_data):
    words, notes = stop_words()
    assert words == FUNCTION_WORDS
    assert notes.startswith(f"bmc-code: NLTK's stop words are not installed, {len(FUNCTION_WORDS)} English function")


@pytest.mark.parametrize("packed", [False, True])
def test_nltks_words_are_read_from_its_data_as_they_lie(no_data, packed):
    if packed:
        with zipfile.ZipFile(no_data / "stopwords.zip", "w") as archive:
            archive.writestr("stopwords/english", "of\nund\n")
    else:
        (no_data / "stopwords").mkdir()
        (no_data / "stopwords" / "english").write_text("of\nund\n")
    assert stop_words() == (frozenset({"of", "und"}), "")
    assert ignored_tokens(Need.tokens | Need.code_marks, Letters()) == {27, 28, 29}


def test_bmc_itself_has_our_words_in_any_case_and_others_ask_for_none():
    assert ignored_tokens(Need.tokens, Letters()) == {1, 9, 27, 28}  # "a", "i", "of", "Of"
    assert ignored_tokens(Need.reference, Letters()) is None


@pytest.mark.parametrize("by_code", [False, True])
def test_a_batch_has_the_marks_that_its_objective_asks_for(by_code):
    row = {"prompt_ids": [9], "response_ids": [[2, 1], [1, 2, 3, 1]], "marks": [0, 0], "ref_token_logps": [[0], [0]]}
    batch = Collator(TokenLayout.plain, 64, 0, (), frozenset(), by_code=by_code)([row])
    chosen, rejected = ([int(mark) for mark in ours] for ours in batch["differs"][0])
    assert (rejected, chosen) == (([0, 1, 1, 1], [1, 0]) if by_code else ([1, 0, 1, 0], [0, 0]))
