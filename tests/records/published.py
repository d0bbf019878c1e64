"""Records in the manner of public data sets, every word invented: the layout, the record, what it becomes."""

USER = {"role": "user", "content": "Name a blue bird."}
SYSTEM = {"role": "system", "content": "Answer in one word."}
JAY = {"role": "assistant", "content": "Jay."}
GULL = {"role": "assistant", "content": "Gull."}
MORE = {"role": "user", "content": "And a red animal?"}
FOX = {"role": "assistant", "content": "Fox."}
CRAB = {"role": "assistant", "content": "Crab."}
QUESTION = "Name a blue bird."


def asking(first, second, **more):
    """Three texts as one conversation asks and two answer."""
    return {"prompt": [USER], "chosen": [first], "rejected": [second], **more}


PUBLISHED = [
    (
        "OpenAI preference",
        {
            "input": {"messages": [SYSTEM, USER], "tools": [{"type": "function"}], "parallel_tool_calls": True},
            "preferred_output": [JAY],
            "non_preferred_output": [GULL],
        },
        {
            "prompt": [SYSTEM, USER],
            "chosen": [JAY],
            "rejected": [GULL],
            "tools": [{"type": "function"}],
            "parallel_tool_calls": True,
        },
    ),
    (
        "HelpSteer2 preference",
        {
            "split": "train",
            "prompt": QUESTION,
            "response_1": "Gull.",
            "response_2": "Jay.",
            "preference_strength": 2,
            "preference_statement": "@Response 2 is better than @Response 1",
        },
        {
            "prompt": QUESTION,
            "chosen": "Jay.",
            "rejected": "Gull.",
            "margin": 2,
            "split": "train",
            "preference_statement": "@Response 2 is better than @Response 1",
        },
    ),
    (
        "HelpSteer3 preference",
        {
            "domain": "general",
            "context": [USER, JAY, MORE],
            "response1": "Fox.",
            "response2": "Crab.",
            "overall_preference": -3,
            "individual_preference": [{"score": -3}],
        },
        {
            "prompt": [USER, JAY, MORE],
            "chosen": [FOX],
            "rejected": [CRAB],
            "margin": 3,
            "domain": "general",
            "individual_preference": [{"score": -3}],
        },
    ),
    (
        "HelpSteer3 preference",
        {"context": [USER], "response1": "Jay.", "response2": "Gull.", "overall_preference": 0},
        {
            "prompt": [USER],
            "responses": [{"text": "Jay.", "rank": 1}, {"text": "Gull.", "rank": 1}],
            "annotation": {"verdict": "tie"},
        },
    ),
    (
        "Nectar",
        {
            "prompt": f"\n\nHuman: {QUESTION}\n\nAssistant: ",
            "answers": [
                {"answer": "Jay.", "model": "m", "rank": 1.0},
                {"answer": "Gull.", "model": "n", "rank": 2.0},
            ],
            "turns": 1,
            "num_responses": 2,
            "source": ["birds"],
        },
        {
            "prompt": f"\n\nHuman: {QUESTION}\n\nAssistant: ",
            "responses": [
                {"text": "Jay.", "model": "m", "rank": 1.0},
                {"text": "Gull.", "model": "n", "rank": 2.0},
            ],
            "turns": 1,
            "num_responses": 2,
            "source": ["birds"],
        },
    ),
    (
        "PKU-SafeRLHF",
        {
            "prompt": QUESTION,
            "response_0": "Gull.",
            "response_1": "Jay.",
            "is_response_0_safe": True,
            "is_response_1_safe": False,
            "response_0_severity_level": 0,
            "response_1_severity_level": 1,
            "better_response_id": 1,
            "safer_response_id": 0,
        },
        {
            "prompt": QUESTION,
            "chosen": "Jay.",
            "rejected": "Gull.",
            "severity_level_chosen": 1,
            "severity_level_rejected": 0,
            "is_safe_chosen": False,
            "is_safe_rejected": True,
            "is_safer_chosen": False,
            "is_safer_rejected": True,
        },
    ),
    (
        "Arena, 55k",
        {
            "id": 7,
            "model_a": "m",
            "model_b": "n",
            "prompt": '["Name a blue bird.", "And a red animal?"]',
            "response_a": '["Jay.", "Fox."]',
            "response_b": '["Jay.", "Crab."]',
            "winner_model_a": 0,
            "winner_model_b": 1,
            "winner_tie": 0,
        },
        {
            "prompt": [USER, JAY, MORE],
            "chosen": [CRAB],
            "rejected": [FOX],
            "model_chosen": "n",
            "model_rejected": "m",
            "id": 7,
        },
    ),
    (
        "Arena, 140k, MT-Bench",
        {
            "model_a": "m",
            "model_b": "n",
            "winner": "model_a",
            "conversation_a": [
                {"role": "user", "content": [{"type": "text", "text": QUESTION, "image": None, "mimeType": None}]},
                {"role": "assistant", "content": [{"type": "text", "text": "Jay.", "image": None, "mimeType": None}]},
            ],
            "conversation_b": [USER, GULL],
            "full_conversation": [{"user": USER, "model_side_a": JAY, "model_side_b": GULL}],
            "language": "en",
        },
        asking(JAY, GULL, model_chosen="m", model_rejected="n", language="en"),
    ),
    (
        "Arena, 140k, MT-Bench",  # a judgment of the first turn; both turns are in the conversations
        {
            "question_id": 81,
            "model_a": "m",
            "model_b": "n",
            "winner": "model_b",
            "judge": "expert_3",
            "conversation_a": [USER, GULL, MORE, FOX],
            "conversation_b": [USER, JAY, MORE, CRAB],
            "turn": 1,
        },
        asking(JAY, GULL, model_chosen="n", model_rejected="m", question_id=81, judge="expert_3", turn=1),
    ),
    (
        "Arena, 140k, MT-Bench",
        {
            "model_a": "m",
            "model_b": "n",
            "winner": "tie (bothbad)",
            "conversation_a": [USER, JAY],
            "conversation_b": [USER, GULL],
        },
        {
            "prompt": [USER],
            "responses": [{"text": [JAY], "model": "m", "rank": 1}, {"text": [GULL], "model": "n", "rank": 1}],
            "annotation": {"verdict": "tie", "winner": "tie (bothbad)"},
        },
    ),
    (
        "AlpacaEval annotations",
        {
            "instruction": QUESTION,
            "output_1": "Gull.",
            "generator_1": "base",
            "output_2": "Jay.",
            "generator_2": "new",
            "annotator": "judge",
            "preference": 1.75,
        },
        {
            "prompt": QUESTION,
            "chosen": "Jay.",
            "rejected": "Gull.",
            "model_chosen": "new",
            "model_rejected": "base",
            "score_chosen": 0.75,
            "score_rejected": 0.25,
            "annotator": "judge",
        },
    ),
    (
        "WebGPT comparisons",
        {
            "question": {"dataset": "birds", "id": "b1", "full_text": QUESTION},
            "answer_0": "Gull.",
            "answer_1": "Jay.",
            "quotes_0": {"title": [], "extract": []},
            "quotes_1": {"title": ["Birds"], "extract": ["Jays are blue."]},
            "score_0": -0.5,
            "score_1": 0.5,
        },
        {
            "prompt": QUESTION,
            "responses": [
                {"text": "Gull.", "score": -0.5, "quotes": {"title": [], "extract": []}},
                {"text": "Jay.", "score": 0.5, "quotes": {"title": ["Birds"], "extract": ["Jays are blue."]}},
            ],
            "question_id": "b1",
            "question_dataset": "birds",
        },
    ),
    (
        "summarize-from-feedback",
        {
            "info": {"id": "t1", "post": "I saw a bird today.", "title": "A bird", "subreddit": "birds", "site": None},
            "summaries": [{"text": " Saw a gull.", "policy": "m"}, {"text": " Saw a jay.", "policy": "n"}],
            "choice": 1,
            "worker": "w",
        },
        {
            "prompt": "SUBREDDIT: r/birds\n\nTITLE: A bird\n\nPOST: I saw a bird today.\n\nTL;DR:",
            "chosen": " Saw a jay.",
            "rejected": " Saw a gull.",
            "model_chosen": "n",
            "model_rejected": "m",
            "info": {"id": "t1", "site": None},
            "worker": "w",
        },
    ),
    (
        "Stack Exchange preferences",
        {
            "qid": 5,
            "question": QUESTION,
            "answers": [
                {"answer_id": 1, "pm_score": 3, "selected": False, "text": "Gull."},
                {"answer_id": 2, "pm_score": 7, "selected": True, "text": "Jay."},
            ],
            "date": "2020/01/01",
        },
        {
            "prompt": QUESTION,
            "responses": [
                {"text": "Gull.", "score": 3, "answer_id": 1, "selected": False},
                {"text": "Jay.", "score": 7, "answer_id": 2, "selected": True},
            ],
            "qid": 5,
            "date": "2020/01/01",
        },
    ),
    (
        "Stack Exchange, paired",
        {"qid": 5, "question": QUESTION, "response_j": "Jay.", "response_k": "Gull."},
        {"prompt": QUESTION, "chosen": "Jay.", "rejected": "Gull.", "qid": 5},
    ),
    (
        "RewardBench 2",
        {
            "id": "1",
            "prompt": QUESTION,
            "chosen": ["Jay."],
            "rejected": ["Gull.", "Fox."],
            "num_correct": 1,
            "models": ["m", "n", "o"],
            "subset": "Factuality",
        },
        {
            "prompt": QUESTION,
            "responses": [
                {"text": "Jay.", "rank": 1, "model": "m"},
                {"text": "Gull.", "rank": 2, "model": "n"},
                {"text": "Fox.", "rank": 2, "model": "o"},
            ],
            "id": "1",
            "num_correct": 1,
            "subset": "Factuality",
        },
    ),
    (
        "ms-swift",
        {"messages": [SYSTEM, USER, JAY], "rejected_response": "Gull."},
        {"prompt": [SYSTEM, USER], "chosen": [JAY], "rejected": [GULL]},
    ),
    (
        "ms-swift",
        {"messages": [USER, JAY, MORE, FOX], "rejected_messages": [USER, GULL, MORE, CRAB]},
        {"prompt": [USER], "chosen": [JAY, MORE, FOX], "rejected": [GULL, MORE, CRAB]},
    ),
    (
        "ms-swift",
        {
            "system": "Answer in one word.",
            "history": [[QUESTION, "Jay."]],
            "query": "And a red animal?",
            "response": "Fox.",
            "rejected_response": "Crab.",
        },
        {"prompt": [SYSTEM, USER, JAY, MORE], "chosen": [FOX], "rejected": [CRAB]},
    ),
    (
        "chosen and rejected by other names",
        {"source": "birds", "instruction": QUESTION, "chosen_response": "Jay.", "rejected_response": "Gull."},
        {"prompt": QUESTION, "chosen": "Jay.", "rejected": "Gull.", "source": "birds"},
    ),
    (
        "prompt by another name",  # Intel's Orca pairs, axolotl chatml.intel
        {"system": "", "question": QUESTION, "chosen": "The jay.", "rejected": "The gull."},
        {"prompt": QUESTION, "chosen": "The jay.", "rejected": "The gull.", "system": ""},
    ),
    (
        "prompt by another name",
        {"system": "Answer in one word.", "question": QUESTION, "chosen": "Jay.", "rejected": "Gull."},
        {"prompt": [SYSTEM, USER], "chosen": [JAY], "rejected": [GULL]},
    ),
    (
        "prompt by another name",  # axolotl chat_template
        {"messages": [SYSTEM, USER], "chosen": JAY, "rejected": GULL},
        {"prompt": [SYSTEM, USER], "chosen": [JAY], "rejected": [GULL]},
    ),
    (
        "prompt by another name",  # LlamaFactory, sharegpt
        {
            "conversations": [{"from": "human", "value": QUESTION}],
            "chosen": {"from": "gpt", "value": "Jay."},
            "rejected": {"from": "gpt", "value": "Gull."},
            "system": "Answer in one word.",
            "tools": "[]",
        },
        {"prompt": [SYSTEM, USER], "chosen": [JAY], "rejected": [GULL], "tools": []},
    ),
    (
        "prompt by another name",  # LlamaFactory, alpaca
        {"instruction": "Translate to French.", "input": "the bird", "chosen": "l'oiseau", "rejected": "le bird"},
        {"prompt": "Translate to French.\nthe bird", "chosen": "l'oiseau", "rejected": "le bird"},
    ),
    (
        "prompt by another name",  # UltraInteract
        {
            "task": "Coding",
            "trajectory": [{"from": "user", "value": QUESTION}],
            "chosen": "Jay.",
            "rejected": "Gull.",
        },
        asking(JAY, GULL, task="Coding"),
    ),
    (
        "one response a row",  # Alpaca
        {"instruction": "Translate to French.", "input": "the bird", "output": "l'oiseau"},
        {"prompt": "Translate to French.\nthe bird", "responses": [{"text": "l'oiseau"}]},
    ),
    (
        "one response a row",  # dolly
        {"instruction": QUESTION, "context": "Jays are blue.", "response": "Jay.", "category": "closed_qa"},
        {"prompt": f"{QUESTION}\nJays are blue.", "responses": [{"text": "Jay."}], "category": "closed_qa"},
    ),
    (
        "one response a row",  # LlamaFactory KTO
        {"conversations": [{"from": "human", "value": QUESTION}, {"from": "gpt", "value": "Jay."}], "kto_tag": True},
        {"prompt": [USER], "responses": [{"text": [JAY], "score": 1, "label": True}]},
    ),
    (
        "one response a row",  # ms-swift KTO
        {"messages": [USER, JAY], "label": False},
        {"prompt": [USER], "responses": [{"text": [JAY], "score": 0, "label": False}]},
    ),
    (
        "one response a row",  # one rated conversation
        {"messages": [SYSTEM, USER, JAY], "score": 0.75, "id": 4},
        {"prompt": [SYSTEM, USER], "responses": [{"text": [JAY], "score": 0.75}], "id": 4},
    ),
    (
        "chosen and rejected by other names",
        {"system": "", "history": [], "question": QUESTION, "response_chosen": "Jay.", "response_rejected": "Gull."},
        {"prompt": QUESTION, "chosen": "Jay.", "rejected": "Gull.", "system": "", "history": []},
    ),
    (
        "chosen and rejected by other names",
        {"prompt": QUESTION, "accepted": "Jay.", "rejected": "Gull."},
        {"prompt": QUESTION, "chosen": "Jay.", "rejected": "Gull."},
    ),
    (
        "chosen and rejected by other names",  # the prompt is inside
        {
            "id": 3,
            "chosen_conversations": [{"from": "human", "value": QUESTION}, {"from": "gpt", "value": "Jay."}],
            "reject_conversations": [{"from": "human", "value": QUESTION}, {"from": "gpt", "value": "Gull."}],
        },
        asking(JAY, GULL, id=3),
    ),
    (
        "NeMo-RL",
        {
            "context": [SYSTEM, USER],
            "completions": [
                {"rank": 1, "completion": [GULL]},
                {"rank": 0, "completion": [JAY]},
            ],
            "source": "birds",
        },
        {
            "prompt": [SYSTEM, USER],
            "responses": [{"text": [GULL], "rank": 2}, {"text": [JAY], "rank": 1}],
            "source": "birds",
        },
    ),
    (
        "Vertex AI preference",
        {
            "system_instruction": {"parts": [{"text": "Answer in one word."}]},
            "contents": [{"role": "user", "parts": [{"text": "Name a "}, {"text": "blue bird."}]}],
            "completions": [
                {"score": 1, "completion": {"role": "model", "parts": [{"text": "Jay."}]}},
                {"score": 0, "completion": {"role": "model", "parts": [{"text": "Gull."}]}},
            ],
        },
        {
            "prompt": [SYSTEM, USER],
            "responses": [{"text": [JAY], "score": 1}, {"text": [GULL], "score": 0}],
        },
    ),
    (
        "summarize-from-feedback, axis",
        {
            "info": {"id": "t1", "post": "I saw a bird today.", "title": "A bird", "subreddit": "birds"},
            "summary": {
                "text": " Saw a jay.",
                "policy": "n",
                "note": "none",
                "axes": {"overall": 6, "accuracy": 7, "coverage": 5, "coherence": None},
            },
            "worker": "w",
        },
        {
            "prompt": "SUBREDDIT: r/birds\n\nTITLE: A bird\n\nPOST: I saw a bird today.\n\nTL;DR:",
            "responses": [
                {
                    "text": " Saw a jay.",
                    "score": 6,
                    "model": "n",
                    "note": "none",
                    "axes": {"overall": 6, "accuracy": 7, "coverage": 5, "coherence": None},
                }
            ],
            "info": {"id": "t1"},
            "worker": "w",
        },
    ),
]
