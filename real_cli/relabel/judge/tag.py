"""Prompts tagged by a judge, by quality, difficulty and kind of task, say."""

from real_cli.llm.rubric import Rubric
from real_cli.llm.tags import read_tags, tags_schema
from real_cli.records.messages import transcript
from real_cli.records.questions import Inquiry, Question
from real_cli.records.record import Record
from real_cli.relabel.judge.pairwise import Judged


def tag(record: Record, rubric: Rubric, mark: Record) -> Inquiry[Judged]:
    """Ask a rubric's questions of a prompt, without its responses; tags replace fields of their names.

    References:
        Xu et al., 2024, Magpie, arXiv:2406.08464: input quality, difficulty and task category of an instruction.
    """
    prompt = transcript(record["prompt"])
    answers = yield [
        Question(
            rubric.messages(question, prompt=prompt),
            read_tags(question.fields, [prompt]),
            rubric.sampling(question),
            tags_schema(question.fields),
        )
        for question in rubric.questions
    ]
    tags = {name: value for answer in answers for name, value in answer.value.items()}
    num_changed = sum(record.get(name, value) != value for name, value in tags.items())
    return Judged(record | tags | {"judge": mark}, num_changed=num_changed)
