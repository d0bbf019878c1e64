"""Damage that texts bring along: wrong decoding, marks of chat templates and of speakers, ends that are missing."""

import re

from real_cli.records.public.rendered_chats import TOKENS

# Bytes 0x80 to 0xbf as Windows-1252 shows them; the five that it does not define come as control codes.
TRAIL = "\u0080-\u009f" + re.escape(bytes(range(0x80, 0xC0)).decode("cp1252", "ignore"))
# UTF-8 read as Windows-1252 or Latin-1. Capitals with a tilde or a circumflex end words of their own, AMANHÃ and ROMÂ:
# beside them a small letter, or no capital, is asked for.
MISREAD = re.compile(
    rf"(?<=[a-z])Ã[\u00a0-\u00bf]|Ã[\u00a0-\u00bf](?=[a-z])|(?<![A-ZÀ-Ý])Â[\u00a0£©®°±²³·½¼¾§¶]"
    rf"|â€[{TRAIL}]|â„¢|âœ[{TRAIL}]|ðŸ[{TRAIL}]{{2}}|(?:[ÐÑ][{TRAIL}]){{3}}|(?:[ã-é][{TRAIL}]{{2}}){{3}}"
)
LOST = "\ufffd"
# With what each of these begins: a quick look that spares most texts the long one.
MISREAD_BEGINS = re.compile("[\ufffdÂÃâÐÑðã-é]")
# Tokens that chat templates write, and no person.
TEMPLATE = "|".join(TOKENS)
TEMPLATE_ENDS = re.compile(rf"\A\s*(?:<s>|<bos>)?\s*(?:{TEMPLATE})|(?:{TEMPLATE}|</s>|<eos>)\s*\Z")
TEMPLATE_TURN = re.compile(
    r"<\|im_start\|>\s*(?:user|assistant|system)\b|<\|start_header_id\|>\s*(?:user|assistant|system)\b"
    r"|<start_of_turn>\s*(?:user|model)\b|\[INST\](?=[\s\S]*\[/INST\])"
)
SPEAKER = re.compile(
    r"^[ \t]*(?:(?:Human|User|Assistant|HUMAN|USER|ASSISTANT) ?:"
    r"|#{2,3} ?(?:Human|User|Assistant|Instruction|Response) ?:)",
    re.MULTILINE,
)
SPEAKER_WORDS = re.compile(r"(?:Human|User|Assistant|HUMAN|USER|ASSISTANT|Instruction|Response) ?:")
FENCED = re.compile(r"^[ \t]*```[\s\S]*?(?:^[ \t]*```|\Z)", re.MULTILINE)
# Who asks for a dialogue is given speakers.
ASKS_SPEAKERS = re.compile(
    r"\b(?:dialog(?:ue)?s?|conversations?|scripts?|screenplay|skit|scene|chats?|chatbot|transcripts?|interview"
    r"|role-?play\w*|prompts?|template|debate|play)\b",
    re.IGNORECASE,
)
FENCE = re.compile(r"^[ \t]*```", re.MULTILINE)
SENTENCE_END = re.compile(r"[a-z)\"'\u2019\u201d][.!?][)\"'\u2019\u201d]?(?:\s|\Z)")
MARKED_LINE = re.compile(r"\s*(?:[-*•+|>#=]|\d+[.)]|https?:|[A-Za-z ]{1,20}:)")
# A response that a limit of tokens ends is long: a few words without a full stop are somebody's style.
FEWEST_CUT = 400
FEWEST_SENTENCES = 3
FEWEST_LAST_WORDS = 5


def is_misread(text: str) -> bool:
    """Tell whether a text was decoded wrongly, or has lost characters.

    >>> is_misread("cafÃ© â€“ closed"), is_misread("un café… fermé"), is_misread("AMANHÃ»")
    (True, False, False)
    """
    if text.isascii() or not MISREAD_BEGINS.search(text):
        return False
    return LOST in text or MISREAD.search(text) is not None


def is_rendered(text: str) -> bool:
    """Tell whether a chat template's tokens stand around a text, or a turn of them within it.

    >>> is_rendered("Because.<|im_end|>"), is_rendered("The token <|im_end|> closes a turn.")
    (True, False)
    """
    if "<" not in text and "[" not in text:
        return False
    return TEMPLATE_ENDS.search(text) is not None or TEMPLATE_TURN.search(text) is not None


def is_leaking_roles(text: str, prompt: str) -> bool:
    r"""Tell whether a response has the mark of a speaker, which its prompt does not ask for.

    >>> is_leaking_roles("Yes.\n\nHuman: And you?", "Are you?"), is_leaking_roles("Human: Hi", "Write a dialogue.")
    (True, False)
    """
    # Looking for the colon is faster than the patterns, and most texts have none.
    if ":" not in text or not SPEAKER_WORDS.search(text) or not SPEAKER.search(text):
        return False
    return SPEAKER.search(FENCED.sub("", text)) is not None and not ASKS_SPEAKERS.search(prompt)


def is_unfinished(text: str) -> bool:
    r"""Tell whether a text of sentences ends within one, or within a block of code.

    >>> is_unfinished("Run this:\n```\nls"), is_unfinished("It does. " * 60 + "And so the next of them is a")
    (True, True)
    """
    if "```" in text and len(FENCE.findall(text)) % 2:
        return True
    stripped = text.rstrip()
    if len(stripped) < FEWEST_CUT or not (stripped[-1].isascii() and (stripped[-1].isalnum() or stripped[-1] == ",")):
        return False
    last = stripped.rpartition("\n")[2]
    tail = re.split(r"[.!?:]\s", last)[-1]
    if MARKED_LINE.match(last) or len(tail.split()) < FEWEST_LAST_WORDS:
        return False
    return len(SENTENCE_END.findall(stripped)) >= FEWEST_SENTENCES
