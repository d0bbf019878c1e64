"""Servers on loopback that embed: vectors that tell their text, and what may go wrong with them."""

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
