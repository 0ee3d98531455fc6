"""Language models that write text: any server that speaks OpenAI's chat completions, or local transformers."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from kgpipe import engine
from kgpipe.errors import ConfigError, LMError, ModelError

MOST_TOKENS = 800
"""Tokens of one reply."""
MOST_BYTES = 2_000_000
"""Bytes of a server's reply that are read; what is longer is no reply of so many tokens."""
MOST_TRIES = 4
"""Requests for one reply, while the server is busy, fails or sends what is broken."""
LONGEST_WAIT_S = 20.0
"""Longest wait that a server may ask for by Retry-After."""

Message = dict[str, str]
"""{"role": user or assistant, "content": text}."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model wrote, and whether it came to an end by itself."""

    text: str
    complete: bool


class LM(Protocol):
    """A language model that continues a conversation."""

    def reply(self, messages: Sequence[Message], schema: dict[str, Any]) -> Reply:
        """The next message, which is to be JSON of this schema (not every model keeps to it); LMError when none comes."""
        ...


def load_lm(spec: str, *, key: str = "", device: str = "", seconds: float = 60.0) -> LM:
    """The model that `spec` names: URL#MODEL of a server, the folder of a transformers model, or its name on the hub.

    `seconds` is the time in which each reply must be there, all tries together.
    """
    if "://" in spec:
        url, _, model = spec.partition("#")
        parts = urlsplit(url)
        try:
            possible = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            possible = False
        if not possible:
            raise ConfigError(
                f'--lm "{url}" is no address of a server. Example: --lm http://127.0.0.1:11434/v1#qwen3:8b'
            )
        if parts.username or parts.password or parts.query:
            raise ConfigError(f"--lm for {parts.hostname} holds a password or a query. Put the key into KGPIPE_LM_KEY.")
        if not (key.isascii() and key.isprintable()):
            raise ConfigError("The key in KGPIPE_LM_KEY (or lm_key) holds what no key holds. Copy it anew.")
        return Server(url.rstrip("/"), model, key=key, seconds=seconds)
    if not Path(spec).is_dir() and not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", spec):
        raise ConfigError(
            f'--lm "{spec}" is neither an address (http://127.0.0.1:11434/v1#MODEL), nor a folder that is here, '
            "nor a name on the Hugging Face hub. Correct it."
        )
    return Local(spec, device=device, seconds=seconds)


class Server:
    """A server with OpenAI's chat completions: vLLM, Ollama, llama.cpp and many others."""

    def __init__(self, url: str, model: str, *, key: str = "", seconds: float = 60.0) -> None:
        """`url` ends before /chat/completions; without `model` the server must have just one."""
        self.url = url
        self.model = model
        self._key = key
        self._seconds = seconds
        self._constrained = True

    def reply(self, messages: Sequence[Message], schema: dict[str, Any]) -> Reply:
        async def work() -> Reply:
            async with asyncio.timeout(self._seconds):
                return await self._reply(list(messages), schema)

        try:
            # in a thread of its own, because a notebook has a loop already
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                return pool.submit(lambda: asyncio.run(work())).result()
        except TimeoutError as error:
            raise LMError(
                f"The language model at {self.url} gave no reply within {self._seconds:g} s. "
                "Give it longer (lm_seconds) or take a smaller one."
            ) from error

    async def _reply(self, messages: list[Message], schema: dict[str, Any]) -> Reply:
        try:
            import httpx
        except ImportError as error:
            raise ConfigError("--lm with a server needs httpx. Install it with: pip install 'kgpipe[lm]'") from error

        headers = {"accept-encoding": "identity"} | ({"authorization": f"Bearer {self._key}"} if self._key else {})
        # httpx asks the proxies of the environment, which know nothing of this machine
        local = urlsplit(self.url).hostname in ("localhost", "127.0.0.1", "::1")
        async with httpx.AsyncClient(headers=headers, timeout=self._seconds, trust_env=not local) as client:
            if not self.model:
                self.model = _only(await self._json(client, "GET", "/models", None), self.url)
            body = {"model": self.model, "messages": messages, "temperature": 0, "max_tokens": MOST_TOKENS}
            if self._constrained:
                wanted = {"name": "reply", "schema": schema, "strict": True}
                constrained = body | {"response_format": {"type": "json_schema", "json_schema": wanted}}
                try:
                    return _read(await self._json(client, "POST", "/chat/completions", constrained), self.url)
                except _BadRequest:  # of a server that does not know response_format; else it refuses the next as well
                    self._constrained = False
            return _read(await self._json(client, "POST", "/chat/completions", body), self.url)

    async def _json(self, client: Any, method: str, path: str, body: dict[str, Any] | None) -> Any:
        """The JSON of a reply of status 200, asked for again while that may help."""
        import httpx

        reason = ""
        for attempt in range(MOST_TRIES):
            wait = 0.5 * 2**attempt
            try:
                async with client.stream(method, self.url + path, json=body) as response:
                    text = await self._text(response)
                    status = response.status_code
                    if status == 200:
                        return json.loads(text)
                    reason = f"status {status}: {self._excerpt(text)}"
                    wait = _retry_after(response.headers.get("retry-after", ""), wait)
            except httpx.ConnectError as error:
                raise LMError(
                    f"No language model answers at {self.url} ({self._excerpt(str(error))}). Start it or correct --lm."
                ) from error
            except httpx.HTTPError as error:
                status, reason = 0, self._excerpt(f"{type(error).__name__} {error}")
            except (ValueError, RecursionError):
                status, reason = 0, f"no JSON: {self._excerpt(text)}"
            if status in (401, 403):
                raise LMError(f"The language model at {self.url} wants another key. Set KGPIPE_LM_KEY.")
            if status in (400, 422):
                raise _BadRequest(f"The language model at {self.url} refuses the request ({reason}).")
            if status and status != 429 and status < 500:
                raise LMError(f"{self.url}{path} gave {reason}. Correct the address or the model's name in --lm.")
            if attempt + 1 < MOST_TRIES:
                await asyncio.sleep(wait)
        raise LMError(f"The language model at {self.url} was asked {MOST_TRIES} times without use; the last: {reason}.")

    async def _text(self, response: Any) -> str:
        data = bytearray()
        async for chunk in response.aiter_raw():
            data += chunk
            if len(data) > MOST_BYTES:
                raise LMError(f"The reply of {self.url} is longer than {MOST_BYTES:,} bytes. Look at that server.")
        return data.decode("utf-8", "replace")

    def _excerpt(self, text: str) -> str:
        """The beginning of a server's text on one line, without what steers a terminal and without the key."""
        text = text.replace(self._key, "***") if self._key else text
        return " ".join("".join(c if c.isprintable() else " " for c in text[:1000]).split())[:160] or "empty"


class _BadRequest(LMError):
    pass


def _retry_after(header: str, otherwise: float) -> float:
    return min(float(header), LONGEST_WAIT_S) if re.fullmatch(r"\d{1,9}(\.\d+)?", header) else otherwise


def _only(listed: Any, url: str) -> str:
    try:
        names = [str(m["id"]) for m in listed["data"]]
    except (TypeError, KeyError) as error:
        raise LMError(f"{url} does not list its models. Name one: --lm {url}#MODEL") from error
    if len(names) != 1:
        shown = ", ".join(n for n in names[:10] if n.isprintable()) or "none"
        raise ConfigError(f"{url} has {len(names)} models ({shown}). Name one: --lm {url}#MODEL")
    return names[0]


def _read(completion: Any, url: str) -> Reply:
    try:
        choice = completion["choices"][0]
        text, why = choice["message"]["content"], choice.get("finish_reason")
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        raise LMError(
            f"The reply of {url} is no chat completion. Look whether --lm names an OpenAI-like API."
        ) from error
    if not isinstance(text, str):
        raise LMError(f"The reply of {url} holds no text. Take another model.")
    return Reply(text, why != "length")


class Local:
    """A causal LM of transformers on this machine; greedy, so the same question has the same reply."""

    def __init__(self, name: str, *, device: str = "", seconds: float = 60.0) -> None:
        """ModelError when there is no such model; code that comes with a model is not run."""
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging

        self.name = name
        self._seconds = seconds
        self.device = engine.device(device)
        logging.disable_progress_bar()
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(name)
            dtype = engine.autocast_dtype(self.device) or torch.float32
            model = AutoModelForCausalLM.from_pretrained(name, dtype=dtype, use_safetensors=True)
        except Exception as error:  # the library raises whatever its parts raise
            reason = " ".join(str(error).split())[:200]
            raise ModelError(
                f"--lm {name} is no causal language model that can be loaded ({type(error).__name__}: {reason}). "
                "Give a folder with config.json, tokenizer and model.safetensors, or a name on the Hugging Face hub."
            ) from error
        self.model = model.to(self.device).eval()
        self.longest = getattr(model.config, "max_position_embeddings", None) or 1_000_000
        settings = self.model.generation_config
        settings.temperature = settings.top_p = settings.top_k = None  # they belong to sampling

    def reply(self, messages: Sequence[Message], schema: dict[str, Any]) -> Reply:
        import torch

        ids = self.tokenizer(self._prompt(messages), add_special_tokens=not self.tokenizer.chat_template)["input_ids"]
        room = self.longest - len(ids)
        if room < 16 or not ids:
            raise LMError(
                f"{self.name} reads {self.longest:,} tokens; the prompt has {len(ids):,}. Take a larger model."
            )
        end = self.model.generation_config.eos_token_id
        ends = {end, self.tokenizer.eos_token_id} if not isinstance(end, list) else {*end, self.tokenizer.eos_token_id}
        tokens = torch.tensor([ids], device=self.device)
        started = time.monotonic()
        try:
            with torch.inference_mode():
                made = self.model.generate(
                    tokens, attention_mask=torch.ones_like(tokens), max_new_tokens=min(room, MOST_TOKENS), do_sample=False,
                    max_time=self._seconds, pad_token_id=next((e for e in ends if e is not None), 0),
                )[0, len(ids) :].tolist()  # fmt: skip
        except (RuntimeError, IndexError) as error:  # memory; a tokenizer that is larger than the model
            raise LMError(
                f"{self.name} broke off: {' '.join(str(error).split())[:160]}. Take another model."
            ) from error
        complete = bool(made) and made[-1] in ends
        if not complete and time.monotonic() - started >= self._seconds:
            raise LMError(f"{self.name} was not done within {self._seconds:g} s. Give it longer (lm_seconds).")
        return Reply(self.tokenizer.decode(made, skip_special_tokens=True), complete)

    def _prompt(self, messages: Sequence[Message]) -> str:
        if not self.tokenizer.chat_template:
            return "\n\n".join(m["content"] for m in messages) + "\n\n"
        return self.tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True)
