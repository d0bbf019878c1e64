"""Several models that answer one command: NAME, or NAME@URL[#VARIABLE] on a server of its own."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from real_cli.cli.llm import UNSET, answerer_of, given_settings
from real_cli.cli.llm_options import LlmOptions
from real_cli.cli.option_sets import flag_of
from real_cli.errors import UsageError, clip

ADDRESSED = re.compile(r"(?P<name>.*?)@(?P<url>https?://[^#]*)(?:#(?P<variable>.*))?", re.DOTALL)
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# No variable of the environment has this name: a server with it gets no key.
NO_KEY = ""


class ModelAddress(NamedTuple):
    """A model, its server where it has one of its own, and the variable that holds that server's key."""

    name: str
    url: str | None = None
    key_variable: str | None = None


class PanelMember(NamedTuple):
    """A model that answers, and the options that say how it is asked."""

    name: str
    options: LlmOptions


def parse_address(text: str, flag: str) -> ModelAddress:
    """Read NAME or NAME@URL[#VARIABLE].

    >>> parse_address("qwen@http://localhost:8000/v1", "--model")
    ModelAddress(name='qwen', url='http://localhost:8000/v1', key_variable=None)
    >>> parse_address("gpt@https://api.openai.com/v1#OPENAI_KEY", "--model").key_variable
    'OPENAI_KEY'
    """
    match = ADDRESSED.fullmatch(text)
    address = ModelAddress(text) if match is None else ModelAddress(*match.group("name", "url", "variable"))
    if not address.name.strip():
        raise UsageError(f"{flag} {clip(text)}: names no model; give NAME, or NAME@URL")
    if address.key_variable is not None and not VARIABLE.fullmatch(address.key_variable):
        raise UsageError(
            f"{flag} {clip(address.name)}: behind '#' the name of the environment variable that holds the key is needed"
        )
    return address


def open_members(options: LlmOptions, texts: Sequence[tuple[str, str]]) -> list[PanelMember]:
    """Say for each model how it is asked; an option that none of them reads is refused.

    `texts` are the flags with their values.

    The key of --key-variable goes to --endpoint, or to the one server there is; of several each has its own or none.
    """
    addresses = [parse_address(text, flag) for flag, text in texts]
    names = [address.name for address in addresses]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"--model {clip(twice)}: is named twice; answers are kept by the model's name")
    if options.endpoint is not None and all(address.url for address in addresses):
        raise UsageError("--endpoint: each model names its own server; leave it out")
    servers = {options.endpoint, *(address.url for address in addresses)} - {None}
    common = options.key_variable if len(servers) == 1 else NO_KEY
    prices = _prices(options.price, len(addresses))
    asked = [
        replace(
            options,
            endpoint=address.url or options.endpoint,
            key_variable=address.key_variable or (common if address.url else options.key_variable),
            price=price,
        )
        for address, price in zip(addresses, prices, strict=True)
    ]
    if len(asked) == 1:
        return [PanelMember(names[0], asked[0])]  # whoever asks it checks its options
    _check_read(options, asked, names)
    return [PanelMember(name, _with_what_is_read(member, name)) for name, member in zip(names, asked, strict=True)]


def _prices(text: str | None, number: int) -> list[str | None]:
    prices: list[str | None] = [*text.split(":")] if text else [text]
    if len(prices) not in (1, number):
        raise UsageError(
            f"--price {clip(text)}: {len(prices)} prices for {number} models; IN,OUT for all of them is needed, or "
            "IN,OUT:IN,OUT with one for each"
        )
    return prices * number if len(prices) == 1 else prices


def _check_read(options: LlmOptions, asked: Sequence[LlmOptions], names: Sequence[str]) -> None:
    """Refuse an option that none of the models reads."""
    answerers = [answerer_of(member, name) for member, name in zip(asked, names, strict=True)]
    read = {name for _, some in answerers for name in some}
    unread = [name for name in given_settings(options) if name not in read]
    served = [member.key_variable for member in asked if member.endpoint is not None]
    if served and "key_variable" in given_settings(options) and options.key_variable not in served:
        raise UsageError("--key-variable: each server names its own, as NAME@URL#VARIABLE; leave it out")
    if unread:
        kinds = " and ".join(dict.fromkeys(words for words, _ in answerers))
        raise UsageError(f"{', '.join(map(flag_of, unread))}: not read where {kinds}; leave it out")


def _with_what_is_read(options: LlmOptions, name: str) -> LlmOptions:
    """Leave out what other members read and this one does not."""
    read = answerer_of(options, name)[1]
    unread: dict[str, Any] = {setting: default for setting, default in UNSET.items() if setting not in read}
    return replace(options, **unread)
