"""Marks of chats that are rendered already: what stands beside such a text has no place in it any more."""

import re

from real_cli.errors import RecordError, clip

# At the beginning or end of a text; inside it, they may be a question's subject.
TOKENS = (
    r"<[|\uff5c][\w\u2581 :.-]+[|\uff5c]>",  # ChatML, Llama 3 and 4, Zephyr, DeepSeek, gpt-oss, Command R
    r"<(?:start|end)_of_turn>|<\|turn>|<turn\|>",  # Gemma
    r"\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS)\]|<</?SYS>>",  # Llama 2, Mistral
    r"<extra_id_[0-9]+>",  # Nemotron
)
MARKS = (*TOKENS, r"#{2,3} ?(?:Instruction|Response|Human|Assistant|User|System|Prompter)\b *:?")  # Alpaca
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
# What opens an answer, and the line ends that a template writes after it.
OPENS_ANSWER = re.compile(
    r"(?:<[|\uff5c](?:im_start|start_header_id|header_start|start)[|\uff5c]>\s*(?:assistant|model|ai)\b"
    r"(?:<\|(?:end_header_id|header_end|im_middle|message)\|>|<\|channel\|>final<\|message\|>)?"
    r"|<[|\uff5c](?:[Aa]ssistant|CHATBOT_TOKEN|model)[|\uff5c]>|<start_of_turn>model\b|<\|turn>model\b|\[/INST\]"
    r"|#{2,3} ?(?:Response|Assistant)\b *:?|(?:\A|(?<=[\s>]))(?:GPT4 Correct )?(?:Assistant|ASSISTANT|AI|Bot):"
    r"|(?<=\n)(?:A|Answer):)\n*"
)
OPENS_ASKING = re.compile(
    r"<[|\uff5c](?:im_start|start_header_id|header_start|start)[|\uff5c]>\s*user\b"
    r"|<[|\uff5c](?:[Uu]ser|USER_TOKEN|prompter)[|\uff5c]>|<start_of_turn>user\b|<\|turn>user\b|\[INST\]"
    r"|#{2,3} ?(?:Instruction|Human|User|Prompter)\b|(?:\A|(?<=[\s>]))(?:USER|User|HUMAN|Human):\s"
    r"|(?:\A|(?<=\n))(?:Q|Question):\s"
)
TAIL = 60  # characters enough for a last mark, a role and blanks


def rendered_mark(text: str) -> str:
    """Find the mark of a text that a chat template has rendered; empty if there is none.

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


def end_of_asking(first: str, second: str, shared: str) -> int:
    """Find where the last answer opens that two dialogues in words share; -1 where a question of theirs differs.

    0 says that neither is a dialogue: no mark opens a question, or none an answer to it.

    >>> end_of_asking("User: Hi\\nBot: A", "User: Hi\\nBot: B", "User: Hi\\nBot: "), end_of_asking("A", "B", "")
    (13, 0)
    """
    if not any(_is_dialogue(text) for text in (first, second)):
        return 0
    marks = list(OPENS_ANSWER.finditer(shared))
    return -1 if not marks or OPENS_ASKING.search(shared, marks[-1].end()) else marks[-1].end()


def _is_dialogue(text: str) -> bool:
    asks = OPENS_ASKING.search(text)
    return bool(asks and OPENS_ANSWER.search(text, asks.end()))


def as_turn(prompt: str) -> list[dict[str, str]]:
    """Make a prompt in words the user's turn.

    A rendered chat is refused, since a model's template would render it again; HH's transcripts pass.

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
