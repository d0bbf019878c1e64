"""Marks of chats that are rendered already: what stands beside such a text has no place in it any more."""

import re

from real_cli.errors import RecordError, clip

# At the beginning or end of a text; inside it, they may be a question's subject.
MARKS = (
    r"<[|\uff5c][\w\u2581 :.-]+[|\uff5c]>",  # ChatML, Llama 3 and 4, Zephyr, DeepSeek, gpt-oss, Command R
    r"<(?:start|end)_of_turn>|<\|turn>|<turn\|>",  # Gemma
    r"\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS)\]|<</?SYS>>",  # Llama 2, Mistral
    r"<extra_id_[0-9]+>",  # Nemotron
    r"#{2,3} ?(?:Instruction|Response|Human|Assistant|User|System|Prompter)\b *:?",  # Alpaca
)
FIRST = r"(?:<s>|<bos>|\ufeff)?\s*"  # a tokenizer's BOS
LAST = r"\s*(?:</s>|<eos>)?"
ROLES = r"(?:human|user|assistant|model|system)"
BEGINS = re.compile(rf"\s*{FIRST}({'|'.join(MARKS)})", re.IGNORECASE)
ENDS = re.compile(rf"({'|'.join(MARKS)})\s*{ROLES}?{LAST}\s*\Z", re.IGNORECASE)
ANY = re.compile(f"({'|'.join(MARKS)})", re.IGNORECASE)
# HH transcripts are recognized wherever they begin.
TRANSCRIPT = re.compile(r"\n\n(?:Human|Assistant):")
# Speakers' labels of Vicuna and many others.
ASKS = re.compile(r"(?:\A|[\s>])(?:USER|User|HUMAN|Human): ")
ANSWERS = re.compile(r"[\s>]((?:ASSISTANT|Assistant|GPT4 Correct Assistant|AI|Bot):)\s*\Z")
TAIL = 60  # characters enough for a last mark, a role and blanks


def rendered_mark(text: str) -> str:
    """Find the mark of a text that a chat template has rendered; empty if there is none.

    Example:
        >>> rendered_mark("<s>[INST] Why? [/INST]"), rendered_mark("USER: Why? ASSISTANT:")
        ('[INST]', 'ASSISTANT:')
        >>> rendered_mark("What does <|im_start|> mean?"), rendered_mark("Why?")
        ('', '')
    """
    begins, ends = BEGINS.match(text), ENDS.search(text[-TAIL:])
    if begins or (ends and len(ANY.findall(text)) > 1):
        return (begins or ends)[1]  # type: ignore[index]
    transcript = TRANSCRIPT.search(text)
    if transcript:
        return transcript[0].strip()
    answers = ANSWERS.search(text[-TAIL:])
    return answers[1] if answers and ASKS.search(text) else ""


def as_turn(prompt: str) -> list[dict[str, str]]:
    """Make a prompt in words the user's turn.

    A rendered chat is refused, since a model's template would render it again; HH's transcripts pass.

    Example:
        >>> as_turn("Why?")
        [{'role': 'user', 'content': 'Why?'}]
    """
    mark = rendered_mark(prompt)
    if mark and mark[0] in "<[#":
        raise RecordError(
            f"the prompt is rendered already, as {clip(mark)} shows, and would be rendered again as a message; give it "
            "as a conversation, or all texts as strings"
        )
    return [{"role": "user", "content": prompt}]
