"""What was called a bug of ours and is a fault of a folder, or of the machine."""

import json
import os

import pytest

from tests.attacks.commands import lines, one_line, real
from tests.attacks.model_folders import copied, with_fields
from tests.attacks.test_models import check_lines, load

pytestmark = [pytest.mark.filterwarnings("ignore")]

FOUR_BITS = {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}


@pytest.mark.parametrize(
    ("command", "file", "fields", "word"),
    [
        ("sample", "config.json", FOUR_BITS, "quantized"),
        ("sample", "generation_config.json", {"eos_token_id": "abc"}, "eos_token_id"),
        ("sample", "generation_config.json", {"pad_token_id": [1, "x"]}, "pad_token_id"),
        ("train", "generation_config.json", {"bos_token_id": 1.5}, "bos_token_id"),
        ("sample", "tokenizer_config.json", {"tokenizer_class": "RagTokenizer"}, "RagTokenizer"),
        ("embed", "tokenizer_config.json", {"tokenizer_class": "RagTokenizer"}, "RagTokenizer"),
    ],
)
def test_a_fault_of_a_folder_is_no_bug(command, file, fields, word, tiny_policy, tmp_path):
    folder = with_fields(copied(tiny_policy, tmp_path / "model"), file, **fields)
    status, _, messages = load(command, folder, tiny_policy, tmp_path / "out")
    check_lines(messages)
    assert status == 1
    assert word in messages


def test_texts_are_padded_without_a_token_for_it(tiny_policy, tmp_path):
    """What is padded is masked: any token will do."""
    from typer.testing import CliRunner

    from real_cli.app import app

    folder = with_fields(
        copied(tiny_policy, tmp_path / "model"), "tokenizer_config.json", pad_token=None, eos_token=None
    )
    (tmp_path / "in").write_text(json.dumps({"prompt": "a", "responses": [{"text": "the cat sat"}, {"text": "no"}]}))
    vectors = []
    for model in (folder, tiny_policy):
        done = CliRunner().invoke(app, ["embed", "--model", str(model), "--device", "cpu", str(tmp_path / "in")])
        assert done.exit_code == 0, done.stderr
        vectors.append([response["embedding"] for response in json.loads(done.stdout)["responses"]])
    assert vectors[0] == vectors[1]


@pytest.mark.parametrize("proxy", ["foo://localhost:1", "socks9://localhost:1"])
def test_a_proxy_of_no_known_kind_is_told(proxy, tmp_path):
    words = ["relabel", "judge", "-m", "m", "--endpoint", "http://198.51.100.1/v1", "--no-cache", "--retries", "0"]
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    pair = {"prompt": "a", "chosen": "x", "rejected": "y"}
    done = real(*words, cwd=tmp_path, data=lines(pair), status=1, env=environment | {"HTTP_PROXY": proxy})
    stderr = one_line(done.stderr)
    assert "bug" not in stderr
    assert "proxy" in stderr


def test_certificates_that_are_not_there_are_told(tmp_path):
    words = ["relabel", "judge", "-m", "m", "--endpoint", "https://127.0.0.1:9/v1", "--no-cache", "--retries", "0"]
    pair = {"prompt": "a", "chosen": "x", "rejected": "y"}
    environment = os.environ | {"SSL_CERT_FILE": str(tmp_path / "none.pem")}
    done = real(*words, cwd=tmp_path, data=lines(pair), status=1, env=environment)
    assert "SSL_CERT_FILE" in one_line(done.stderr)
