"""The same question with other words beside it: a contrast's, for the good and its opposite, or a principle's."""

from real_cli.errors import RecordError, UsageError, clip
from real_cli.records.messages import Text
from real_cli.records.public.rendered_chats import rendered_mark

HOLE = "{prompt}"


HUMAN_MARK = "\n\nHuman:"

SEPARATOR = "\n\n"


def check_contrast(words: str) -> str:
    """Check the words of one side of a contrast.

    Args:
        words: A system prompt, or a template with {prompt} in it.

    Returns:
        The words.

    Raises:
        UsageError: If there are none, or {prompt} occurs twice.

    Example:
        >>> check_contrast("Be kind.")
        'Be kind.'
    """
    if not words.strip():
        raise UsageError("--contrast: one side is empty; give two system prompts, or two templates with {prompt}")
    if words.count(HOLE) > 1:
        raise UsageError(f"--contrast {clip(words)}: write {{prompt}} once, where the prompt goes")
    return words


def place_words(prompt: Text, words: str) -> Text:
    """Put words, one side of a contrast or a principle, where the model reads them.

    A template with {prompt} takes in the prompt, in a conversation the last user message. Other words become a
    conversation's system message, after the one it has, or stand in front of plain text; in an HH transcript they
    open the first human turn.

    Args:
        prompt: A string or a conversation.
        words: A system prompt, or a template with {prompt} in it once.

    Returns:
        A new prompt of the same form.

    Raises:
        RecordError: If a template meets a conversation without a user message, or a content that is no string; or words
            a prompt that a chat template has rendered.

    Example:
        >>> place_words("Why?", "Be kind."), place_words("Why?", "A kind reply to {prompt}")
        ('Be kind.\\n\\nWhy?', 'A kind reply to Why?')
        >>> place_words([{"role": "user", "content": "Why?"}], "Be kind.")
        [{'role': 'system', 'content': 'Be kind.'}, {'role': 'user', 'content': 'Why?'}]

    References:
        Liu et al., 2024, DLMA, arXiv:2402.11907: contrastive prompt pairs.
        Cui et al., 2023, UltraFeedback, arXiv:2310.01377, section 2: principles as system prompts.
    """
    is_template = HOLE in words
    if isinstance(prompt, str):
        if is_template:
            return words.replace(HOLE, prompt)
        rendered = rendered_mark(prompt)
        if rendered and rendered[0] in "<[":  # words may stand before labels such as HH's and Vicuna's
            raise RecordError(
                f"the prompt is rendered already, as {clip(rendered)} shows, and words in front of it have no place; "
                f"give a conversation, or words with {HOLE}"
            )
        mark = f"{HUMAN_MARK} " if prompt.startswith(f"{HUMAN_MARK} ") else ""
        return f"{mark}{words}{SEPARATOR}{prompt[len(mark) :]}"
    role = "user" if is_template else "system"
    places = [place for place, turn in enumerate(prompt) if turn["role"] == role]
    if not places:
        if is_template:
            raise RecordError(f"the prompt has no user message to put in at {HOLE}; write the words without it")
        return [{"role": "system", "content": words}, *prompt]
    place = places[-1] if is_template else places[0]
    content = prompt[place].get("content")
    if not isinstance(content, str):
        raise RecordError(f"the {role} message is {clip(content)}; the words need a string there")
    content = words.replace(HOLE, content) if is_template else f"{content}{SEPARATOR}{words}"
    return [*prompt[:place], prompt[place] | {"content": content}, *prompt[place + 1 :]]
