"""What can be known of models before a run begins: keys, prices, whether the endpoint is there and has the model."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from .client import ChatClient, Failed, key_of
from .settings import LLMSettings, ModelSettings


def unready(settings: LLMSettings, usd_limited: bool) -> str | None:
    """Why the models cannot be asked, in one line that says what to do, or None. Asks each endpoint for its models."""
    return _without_asking(settings, usd_limited) or asyncio.run(_asked(settings.models))


def _without_asking(settings: LLMSettings, usd_limited: bool) -> str | None:
    for name, model in settings.models.items():
        if key_of(model) is None:
            return f"model '{name}' needs a key: export {model.api_key_env}=..."
    unknown = [name for name, model in settings.models.items() if not model.priced]
    if usd_limited and unknown:
        return (
            f"the price of model '{unknown[0]}' is unknown, so a limit in money cannot be kept: give its input_price "
            f"and output_price in a configuration file (0 for your own machine, see docs/agents.md), or limit --tokens"
        )
    return None


async def _asked(models: Mapping[str, ModelSettings]) -> str | None:
    said = await asyncio.gather(*(_asked_one(name, model) for name, model in models.items()))
    return next((line for line in said if line is not None), None)


async def _asked_one(name: str, model: ModelSettings) -> str | None:
    client = ChatClient(name, model)
    try:
        served = await client.models()
    except Failed as failed:
        return f"model '{name}' cannot be asked: {failed}; check llm.models.{name}.base_url and its key"
    finally:
        await client.close()
    wanted = model.id or name
    if served and wanted not in served and f"{wanted}:latest" not in served:
        some = ", ".join(sorted(served)[:8])
        more = f" and {len(served) - 8} more" if len(served) > 8 else ""
        return f"{model.base_url} has no model '{wanted}'; it has {some}{more}"
    return None
