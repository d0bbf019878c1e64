"""Every line for jq that a message gives is run, and what comes out is read."""

import json
import re
import shutil
import subprocess

import pytest

from real_cli.errors import RecordError
from real_cli.records.layouts import adapt, adapt_prompt
from tests.records.published import GULL, JAY, MORE, QUESTION, USER

pytestmark = pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")

PAIR = {"chosen": "The jay.", "rejected": "The gull."}
LETTERS = f"{QUESTION}\nA. jay\nB. gull"
# A record that is refused, and the prompts that the message's lines make of it; None where that line leaves none.
REFUSED = [
    (PAIR | {"post": QUESTION}, [QUESTION, "The"]),
    (PAIR | {"x-y": [QUESTION, "Now."]}, [f"{QUESTION}\nNow.", "The"]),
    (PAIR | {"the 'field'": {"id": 7, "words": QUESTION}}, [QUESTION, "The"]),
    (PAIR | {"task": {"id": 7, "words": QUESTION, "more": "In one word."}}, [f"7\n{QUESTION}\nIn one word.", "The"]),
    (PAIR | {"thread": [USER]}, [[USER], "The"]),
    (PAIR | {"question": QUESTION, "query": "And a red animal?"}, ["And a red animal?", QUESTION]),
    (PAIR | {"question": QUESTION, "passage": "Jays are blue."}, [f"{QUESTION}\nJays are blue.", QUESTION]),
    (PAIR | {"question": QUESTION, "documents": ["Jays.", "Gulls."]}, [f"{QUESTION}\nJays.\nGulls.", QUESTION]),
    (PAIR | {"question": QUESTION, "choices": ["jay", "gull"]}, [LETTERS, QUESTION]),
    (PAIR | {"question": QUESTION, "choices": {"text": ["jay", "gull"], "label": ["A", "B"]}}, [LETTERS, QUESTION]),
    (PAIR | {"question": QUESTION, "options": {"A": "jay", "B": "gull"}}, [LETTERS, QUESTION]),
    (PAIR | {"context": [USER], "question": "And a red animal?"}, [[USER, MORE], [USER]]),
    (PAIR | {"messages": [USER, JAY]}, [[USER]]),
    (PAIR | {"prompt": QUESTION, "messages": [MORE]}, [[MORE], QUESTION]),
    (PAIR | {"prompt": "[INST] Hm? [/INST]", "system": "Be brief."}, ["[INST] Hm? [/INST]"]),
    (PAIR | {"prompt": [{"role": "system", "content": "No."}, USER], "system": "Be brief."}, [
        [{"role": "system", "content": "No."}, USER]
    ]),
    (PAIR | {"question": None}, ["The"]),
    ({"chosen": [USER, JAY], "rejected": [USER, GULL], "question": "Why?"}, [[USER]]),
    ({"prompt": QUESTION, "completion": "Jay.", "label": "chosen"}, [QUESTION]),
    ({"prompt": QUESTION, "completion": "Jay.", "label": 0}, [QUESTION]),
    ({"instruction": QUESTION, "input": "", "output": ["Jay.", "Gull."]}, [QUESTION, QUESTION]),
    ({"instruction": QUESTION, "output": ["Jay.", "Gull.", "Tit."]}, [QUESTION]),
]  # fmt: skip
# Records without a response: the lines make prompts.
ASKING = [
    ({"question": QUESTION, "choices": ["jay", "gull"], "answer": 0}, [LETTERS]),
    ({"question": QUESTION, "choices": {"text": ["jay", "gull"], "label": ["A", "B"]}, "answerKey": "A"}, [LETTERS]),
    ({"prompt": QUESTION, "options": {"A": "jay", "B": "gull"}, "answer_idx": "A"}, [LETTERS]),
    ({"question": QUESTION, "choices": [1, 2]}, [f"{QUESTION}\n1\n2"]),
]


def lines_of(message):
    return re.findall(r"jq -c '([^']*)'", message)


def run_jq(line, record):
    done = subprocess.run(
        ["jq", "-c", line], input=json.dumps(record), capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("read", "record", "prompts"), [*((adapt, *case) for case in REFUSED), *((adapt_prompt, *case) for case in ASKING)]
)
def test_each_line_mends_the_record(read, record, prompts):
    with pytest.raises(RecordError) as caught:
        adapt(record)
    lines = lines_of(str(caught.value))
    assert len(lines) == len(prompts)
    for line, prompt in zip(lines, prompts, strict=True):
        assert read(run_jq(line, record)).record["prompt"] == prompt


def test_the_better_one_of_a_list_comes_first():
    record = {"instruction": QUESTION, "output": ["Jay.", "Gull."]}
    with pytest.raises(RecordError, match="LlamaFactory") as caught:
        adapt(record)
    first, second = (adapt(run_jq(line, record)).record for line in lines_of(str(caught.value)))
    assert first == {"prompt": QUESTION, "chosen": "Jay.", "rejected": "Gull."}
    assert second == {"prompt": QUESTION, "responses": [{"text": "Jay."}, {"text": "Gull."}]}


@pytest.mark.parametrize(("value", "score"), [("chosen", 1), ("rejected", 0), (1, 1), (0, 0), ("True", 1), ("0.0", 0)])
def test_the_line_for_a_label_keeps_what_it_says(value, score):
    record = {"prompt": QUESTION, "completion": "Jay.", "label": value}
    with pytest.raises(RecordError) as caught:
        adapt(record)
    (line,) = lines_of(str(caught.value))
    assert adapt(run_jq(line, record)).record["responses"][0]["score"] == score
