"""Rows of the table of layouts for published data sets and for the formats that trainers of other makers read."""

from real_cli.records.messages import is_conversation, is_text
from real_cli.records.public import battles, comparisons, rated, training_readers
from real_cli.records.public.layout import CANDIDATES, EITHER, PREFERENCE, Layout
from real_cli.records.public.layout_marks import (
    are_conversations,
    has_prompt,
    is_list,
    is_openai,
    is_rated_summary,
    is_strings,
    is_webgpt,
)
from real_cli.records.public.layout_readers import first_text_list, order_answers

SETS = (
    Layout(
        "NeMo-RL",
        "`context`: conversation, `completions`: [{`completion`: messages, `rank`}], the lowest rank the best",
        CANDIDATES,
        lambda r: is_conversation(r.get("context")) and is_list(r, "completions", "completion", "rank"),
        rated.rank_completions,
        ("context", "completions"),
    ),
    Layout(
        "Vertex AI preference",
        "`contents`: Gemini's messages, `completions`: [{`completion`: a message, `score`}], `system_instruction`",
        CANDIDATES,
        lambda r: isinstance(r.get("contents"), list) and is_list(r, "completions", "completion"),
        rated.score_completions,
        ("contents", "completions", "system_instruction", "systemInstruction"),
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
        "summarize-from-feedback, axis",
        "`info`: as above, `summary`: {`text`, `policy`, `axes`}; score = the overall axis; rows are joined",
        CANDIDATES,
        lambda r: isinstance(r.get("info"), dict) and is_rated_summary(r.get("summary")),
        rated.rate_summary,
        ("summary",),
        one_response_a_row=True,
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
)
