"""Servers on loopback that embed or score: vectors and numbers that tell the text that they are of."""

import base64
import hashlib
import json

import numpy as np

from tests.servers import Reply

WIDTH = 8


def vector_of(text, width=WIDTH):
    """A vector that only this text has."""
    digest = hashlib.blake2b(text.encode(), digest_size=2 * width).digest()
    return (np.frombuffer(digest, "<u2") / 65536).astype("<f4")


def in_base64(vector):
    return base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode()


def embeds(request, encode=in_base64, change=lambda entries: entries, **changes):
    """OpenAI's embeddings: a vector for each input, in an order that only `index` tells; a token a character."""
    inputs = request.body["input"]
    width = request.body.get("dimensions", WIDTH)
    entries = [
        {"object": "embedding", "index": index, "embedding": encode(vector_of(text, width))}
        for index, text in enumerate(inputs)
    ]
    usage = {"prompt_tokens": sum(map(len, inputs)), "total_tokens": sum(map(len, inputs))}
    body = {"object": "list", "model": request.body["model"], "data": change(entries[::-1]), "usage": usage}
    return Reply(json.dumps(body).encode(), **changes)


def asked(request):
    """What a server was asked about, a text each."""
    body = request.body
    if "messages" in body:
        return ["|".join(message["content"] for message in body["messages"])]
    if "text_1" in body:
        return [f"{first}|{second}" for first, second in zip(body["text_1"], body["text_2"], strict=True)]
    return ["|".join(pair) for pair in body["inputs"]] if "inputs" in body else list(map(str, body["input"]))


def scores(request, numbers, **changes):
    """A reply with a list of numbers for each text, by the route."""
    route = request.path.rsplit("/", 1)[-1]
    if route == "predict":
        rows = [[{"score": number, "label": f"LABEL_{n}"} for n, number in enumerate(row)] for row in numbers]
        return Reply(json.dumps([sorted(row, key=lambda entry: -entry["score"]) for row in rows]).encode(), **changes)
    field = {"classify": "probs", "pooling": "data", "score": "score"}[route]
    entries = [{"index": n, field: row[0] if route == "score" else row} for n, row in enumerate(numbers)]
    usage = {"prompt_tokens": 10 * len(numbers), "total_tokens": 10 * len(numbers)}
    return Reply(json.dumps({"object": "list", "data": entries[::-1], "usage": usage}).encode(), **changes)


def lengths(request, **changes):
    """A server that scores a text by its length."""
    return scores(request, [[-float(len(text))] for text in asked(request)], **changes)
