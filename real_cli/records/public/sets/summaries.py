"""summarize-from-feedback: which of two summaries is better, or how one was rated."""

from real_cli.errors import RecordError, clip
from real_cli.records.messages import is_number
from real_cli.records.public.comparisons import decide, objects, read_number
from real_cli.records.public.layout import CANDIDATES, PREFERENCE, Layout
from real_cli.records.public.layout_marks import is_list
from real_cli.records.public.layout_readers import rest
from real_cli.records.record import Record


def choose_summary(record: Record) -> Record:
    """summarize-from-feedback: a post or an article, two summaries, and which was chosen."""
    info, summaries = record["info"], objects(record, "summaries", "text")
    choice = read_number(record, "choice")
    if len(summaries) != 2 or choice not in (0, 1):
        raise RecordError(f"{len(summaries)} summaries and choice {clip(record['choice'])}; two, and 0 or 1 are needed")
    prompt, left = summary_prompt(info)
    sides: list[Record] = []
    for summary in summaries:
        renamed = {"policy": "model"}
        sides.append({renamed.get(field, field): value for field, value in summary.items()})
    return decide(
        record,
        ["info", "summaries", "choice"],
        prompt,
        (sides[0], sides[1]),
        int(choice),
        **({"info": left} if left else {}),
    )


def summary_prompt(info: Record) -> tuple[str, Record]:
    """Ask for the summary of a post or an article; returns the prompt, and the fields outside it.

    >>> summary_prompt({"id": 1, "post": "I saw a bird."})
    ('POST: I saw a bird.\\n\\nTL;DR:', {'id': 1})
    """
    names = {"subreddit": "SUBREDDIT: r/", "title": "TITLE: ", "post": "POST: ", "article": "ARTICLE: "}
    parts = [f"{mark}{info[name]}" for name, mark in names.items() if info.get(name)]
    return "\n\n".join([*parts, "TL;DR:"]), {name: value for name, value in info.items() if name not in names}


def is_rated_summary(value: object) -> bool:
    """Tell a summary that was rated along several axes."""
    return isinstance(value, dict) and isinstance(value.get("text"), str) and isinstance(value.get("axes"), dict)


def rate_summary(record: Record) -> Record:
    """summarize-from-feedback, axis: one summary of a post or an article; its score is the overall axis."""
    prompt, left = summary_prompt(record["info"])
    summary = record["summary"]
    overall = summary["axes"].get("overall")
    response: Record = {"text": summary["text"]} | ({"score": overall} if is_number(overall) else {})
    renamed = {"policy": "model"}
    response |= {renamed.get(name, name): value for name, value in summary.items() if name != "text"}
    info = {"info": left} if left else {}
    return rest(record, ["info", "summary"], prompt=prompt, responses=[response], **info)


ROWS = (
    Layout(
        "summarize-from-feedback",
        "`info`: {`post` or `article`, `title`, `subreddit`}, `summaries`: [{`text`, `policy`}], `choice`",
        PREFERENCE,
        lambda r: isinstance(r.get("info"), dict) and is_list(r, "summaries", "text") and "choice" in r,
        choose_summary,
        ("summaries", "choice"),
    ),
    Layout(
        "summarize-from-feedback, axis",
        "`info`: as above, `summary`: {`text`, `policy`, `axes`}; score = the overall axis; rows are joined",
        CANDIDATES,
        lambda r: isinstance(r.get("info"), dict) and is_rated_summary(r.get("summary")),
        rate_summary,
        ("summary",),
        one_response_a_row=True,
    ),
)
