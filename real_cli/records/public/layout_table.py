"""The table of layouts: how each is known by a record's fields, what it becomes, and which function reads it.

The first row that matches wins, so that what has more marks of its own stands before what has fewer. A row is a plain
function that reads, and the fields that are gone once it has read them: the next command in a pipe meets none of them.
"""

from collections.abc import Callable
from typing import NamedTuple

from real_cli.records.messages import is_text
from real_cli.records.public import battles, comparisons, training_readers
from real_cli.records.public.layout_marks import (
    are_arrays,
    are_conversations,
    are_texts,
    are_transcripts,
    has_prompt,
    is_binarized,
    is_list,
    is_mixed,
    is_named_pair,
    is_openai,
    is_rejection,
    is_row,
    is_strings,
    is_webgpt,
)
from real_cli.records.public.layout_readers import (
    RESPONSE_FIELDS,
    first_text_list,
    join_arrays,
    keep,
    order_answers,
    rate_completions,
    split_binarized,
    split_conversations,
    split_texts,
    split_transcripts,
    unify_forms,
    wrap_response,
)
from real_cli.records.record import Record


class Layout(NamedTuple):
    """One layout.

    Attributes:
        name: What the manual calls it.
        fields: Those that tell it, and what is read in them.
        becomes: Candidates or preference; "a tie candidates" where it may be either.
        matches: Tells a record of this layout.
        adapt: Reads one.
        uses: Fields that are gone once they were read; others pass through.
        one_response_a_row: Whether neighboring rows of one prompt are joined.
        holds_turns: Whether `prompt` is a list of turns and not yet what is asked.
    """

    name: str
    fields: str
    becomes: str
    matches: Callable[[Record], bool]
    adapt: Callable[[Record], Record]
    uses: tuple[str, ...] = ()
    one_response_a_row: bool = False
    holds_turns: bool = False


PREFERENCE, CANDIDATES, EITHER = "preference", "candidates", "preference; a tie candidates"


PROMPT = Layout("prompt", "`prompt`", "prompt", lambda r: "prompt" in r, keep)

LAYOUTS = (
    Layout(
        "candidates",
        "`prompt`, `responses`: [{`text`, ...}]",
        CANDIDATES,
        lambda r: isinstance(r.get("responses"), list) and not first_text_list(r, ["responses"]) and "prompt" in r,
        keep,
    ),
    Layout(
        "parallel arrays",
        "`prompt` or `instruction`, `responses` or `generations`: [text], with `scores`, `ratings`, "
        "`rewards`, `ranks`, `models`, `embeddings` of the same length (distilabel, Magpie)",
        CANDIDATES,
        are_arrays,
        join_arrays,
    ),
    Layout(
        "UltraFeedback",
        "`instruction`, `completions`: [{`response`, `annotations`}]; score = mean of the rated aspects",
        CANDIDATES,
        lambda r: "instruction" in r and isinstance(r.get("completions"), list),
        rate_completions,
        ("instruction", "completions"),
    ),
    Layout(
        "SHP, SHP-2",
        "`history`, `human_ref_A`, `human_ref_B`, `score_A`, `score_B`, `labels`",
        PREFERENCE,
        lambda r: is_strings(r, "history", "human_ref_A", "human_ref_B"),
        order_answers,
        ("history", "human_ref_A", "human_ref_B", "score_A", "score_B"),
    ),
    Layout(
        "OpenAI preference",
        "`input`: {`messages`, `tools`}, `preferred_output`, `non_preferred_output`: messages",
        PREFERENCE,
        is_openai,
        training_readers.read_openai,
        ("input", "preferred_output", "non_preferred_output"),
    ),
    Layout(
        "HelpSteer2 preference",
        "`prompt`, `response_1`, `response_2`, `preference_strength` from -3 (response 1) to 3; its size is `margin`",
        EITHER,
        lambda r: {"prompt", "response_1", "response_2", "preference_strength"} <= r.keys(),
        comparisons.weigh_strength,
        ("response_1", "response_2", "preference_strength"),
    ),
    Layout(
        "HelpSteer3 preference",
        "`context`: conversation, `response1`, `response2`, `overall_preference` from -3 (response 1) to 3; its size "
        "is `margin`",
        EITHER,
        lambda r: {"context", "response1", "response2", "overall_preference"} <= r.keys(),
        comparisons.weigh_overall,
        ("context", "response1", "response2", "overall_preference"),
    ),
    Layout(
        "Nectar",
        "`prompt`, `answers`: [{`answer`, `rank`, `model`}]",
        CANDIDATES,
        lambda r: "prompt" in r and is_list(r, "answers", "answer"),
        comparisons.rank_answers,
        ("answers",),
    ),
    Layout(
        "PKU-SafeRLHF",
        "`prompt`, `response_0`, `response_1`, `better_response_id`; which is safe and safer stays beside each",
        PREFERENCE,
        lambda r: {"prompt", "response_0", "response_1", "better_response_id"} <= r.keys(),
        comparisons.choose_better,
        ("response_0", "response_1", "better_response_id", "safer_response_id"),
    ),
    Layout(
        "Arena, 55k",
        "`prompt`, `response_a`, `response_b`: lists of turns, `model_a`, `model_b`, `winner_model_a`, "
        "`winner_model_b`, `winner_tie`",
        EITHER,
        lambda r: {"prompt", "response_a", "response_b", "model_a", "model_b", "winner_model_a"} <= r.keys(),
        battles.tell_winner,
        ("response_a", "response_b", "model_a", "model_b", "winner_model_a", "winner_model_b", "winner_tie"),
        holds_turns=True,
    ),
    Layout(
        "Arena, 140k, MT-Bench",
        "`conversation_a`, `conversation_b`, `model_a`, `model_b`, `winner`; of MT-Bench the turns up to `turn`",
        EITHER,
        lambda r: (
            {"model_a", "model_b", "winner"} <= r.keys() and are_conversations(r, "conversation_a", "conversation_b")
        ),
        battles.tell_named_winner,
        ("conversation_a", "conversation_b", "full_conversation", "model_a", "model_b", "winner"),
    ),
    Layout(
        "AlpacaEval annotations",
        "`instruction` (and `input`), `output_1`, `output_2`, `generator_1`, `generator_2`, `preference` from 1 to 2; "
        "scores are the probabilities",
        EITHER,
        lambda r: is_strings(r, "output_1", "output_2") and "preference" in r and has_prompt(r),
        battles.read_preference,
        ("instruction", "output_1", "output_2", "generator_1", "generator_2", "preference"),
    ),
    Layout(
        "WebGPT comparisons",
        "`question`: {`full_text`}, `answer_0`, `answer_1`, `score_0`, `score_1`",
        CANDIDATES,
        is_webgpt,
        comparisons.score_pair,
        ("question", "answer_0", "answer_1", "score_0", "score_1"),
    ),
    Layout(
        "summarize-from-feedback",
        "`info`: {`post` or `article`, `title`, `subreddit`}, `summaries`: [{`text`, `policy`}], `choice`",
        PREFERENCE,
        lambda r: isinstance(r.get("info"), dict) and is_list(r, "summaries", "text") and "choice" in r,
        comparisons.choose_summary,
        ("summaries", "choice"),
    ),
    Layout(
        "Stack Exchange preferences",
        "`question`, `answers`: [{`text`, `pm_score`}]",
        CANDIDATES,
        lambda r: is_list(r, "answers", "text") and has_prompt(r),
        comparisons.score_answers,
        ("question", "answers"),
    ),
    Layout(
        "Stack Exchange, paired",
        "`question`, `response_j` (the better one), `response_k`",
        PREFERENCE,
        lambda r: is_strings(r, "response_j", "response_k") and has_prompt(r),
        comparisons.name_letters,
        ("question", "response_j", "response_k"),
    ),
    Layout(
        "RewardBench 2",
        "`prompt`, `chosen`, `rejected`: lists of texts",
        CANDIDATES,
        lambda r: (
            "prompt" in r
            and all(first_text_list(r, [side]) and not is_text(r[side]) for side in ("chosen", "rejected"))
        ),
        comparisons.rank_lists,
        ("chosen", "rejected"),
    ),
    Layout(
        "ms-swift",
        "`messages` and `rejected_response` (for the last message) or `rejected_messages`; or `query`, `response`, "
        "`rejected_response`, with `history` and `system`",
        PREFERENCE,
        is_rejection,
        training_readers.replace_last,
        ("rejected_response", "rejected_messages"),
    ),
    Layout(
        "chosen and rejected response",
        "`prompt` or `instruction`, `chosen_response`, `rejected_response`",
        PREFERENCE,
        lambda r: are_texts(r, "chosen_response", "rejected_response") and has_prompt(r),
        training_readers.name_responses,
        ("chosen_response", "rejected_response"),
    ),
    Layout(
        "HH-RLHF",
        "`chosen`, `rejected`: transcripts; the prompt ends at the last `Assistant:` they share",
        PREFERENCE,
        are_transcripts,
        split_transcripts,
    ),
    Layout(
        "prompt by another name",
        "`chosen`, `rejected`: texts, conversations or one message each; the prompt is `instruction`, `question`, "
        "`query`, `problem`, `input` or `context` (`input` or `context` after one of the others on a new line), "
        "`messages`, `conversations` or `trajectory`, after `history` (axolotl, LlamaFactory, Intel Orca)",
        PREFERENCE,
        is_named_pair,
        training_readers.name_prompt,
        ("instruction", "question", "query", "problem", "messages", "conversations", "trajectory"),
    ),
    Layout(
        "UltraFeedback binarized",
        "`prompt`: text, `chosen`, `rejected`: conversations that begin with the prompt",
        PREFERENCE,
        is_binarized,
        split_binarized,
    ),
    Layout(
        "TRL, mixed",
        "`prompt`: conversation, `chosen`, `rejected`: texts; or the other way round",
        PREFERENCE,
        is_mixed,
        unify_forms,
    ),
    Layout(
        "TRL preference",
        "`prompt`, `chosen`, `rejected`: all texts or all conversations",
        PREFERENCE,
        lambda r: {"prompt", "chosen", "rejected"} <= r.keys(),
        keep,
    ),
    Layout(
        "TRL implicit prompt",
        "`chosen`, `rejected`: conversations; the prompt is the messages they share",
        PREFERENCE,
        lambda r: "prompt" not in r and are_conversations(r),
        split_conversations,
    ),
    Layout(
        "TRL implicit prompt, text",
        "`chosen`, `rejected`: texts; the prompt is the words they begin with, and no other field may be it",
        PREFERENCE,
        lambda r: "prompt" not in r and is_strings(r, "chosen", "rejected"),
        split_texts,
    ),
    Layout(
        "one response a row",
        "a prompt of any name, `response`, `completion` or `output`, with `score`, `label`, `kto_tag` or `generator`; "
        "or `messages` that end with it; rows of one prompt and context are joined (TRL unpaired, Alpaca, dolly, flat)",
        CANDIDATES,
        is_row,
        wrap_response,
        ("instruction", *RESPONSE_FIELDS),
        one_response_a_row=True,
    ),
)
