import os
from pathlib import Path

import pytest

from speciate.discovery.config import ConfigError, RunConfig, load_config
from speciate.discovery.executors import settle
from speciate.discovery.setup import run_config
from speciate.evaluators import TaskLimits


def test_presets_load_and_overrides_win_over_them() -> None:
    config = load_config("thorough", ["islands.count=7", "selection.explore=0.25"], seed=3)
    assert (config.islands.count, config.selection.explore, config.seed) == (7, 0.25, 3)
    assert config.budget.evaluations == 3000


def test_default_preset_is_the_defaults() -> None:
    assert load_config("default") == RunConfig()


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["islands.cuont=3"], ["islands.cuont", "count"]),
        (["nonsense=3"], ["nonsense", "known keys"]),
        (["islands.count=0"], ["islands.count", "greater than or equal to 1"]),
        (["islands.count=many"], ["islands.count"]),
        (["islands"], ["key=value"]),
        (["seed=2", "seed.deep=1"], ["seed"]),
    ],
)
def test_a_wrong_key_or_value_is_one_clear_line(overrides: list[str], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(None, overrides)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words)


def test_an_unknown_preset_names_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"default.*thorough"):
        load_config("nowhere")


def test_a_budget_without_any_limit_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one limit"):
        load_config(None, ["budget.evaluations=null"])


def test_configuration_survives_the_journal() -> None:
    config = load_config("thorough", workers=3)
    assert RunConfig.model_validate(config.model_dump(mode="json")) == config


def test_models_are_named_and_make_the_proposer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SPECIATE_API_KEY", raising=False)
    config = run_config(None, model="gpt-5-mini,org/coder@http://localhost:8000/v1")
    assert config.proposer == "llm"
    hosted, local = config.llm.models["gpt-5-mini"], config.llm.models["org/coder"]
    assert (hosted.base_url, hosted.api_key_env, hosted.priced) == (
        "https://api.openai.com/v1",
        "OPENAI_API_KEY",
        False,
    )
    assert (local.base_url, local.api_key_env) == ("http://localhost:8000/v1", None)
    monkeypatch.setenv("SPECIATE_API_KEY", "k")
    assert run_config(None, model="a@https://router.example/v1").llm.models["a"].api_key_env == "SPECIATE_API_KEY"
    file = tmp_path / "mine.yaml"
    file.write_text("proposer: symbolic+llm\nllm: {models: {a: {input_price: 1, output_price: 2}, b: {}}}\n")
    chosen = run_config(str(file), model="a")
    assert (chosen.proposer, set(chosen.llm.models), chosen.llm.models["a"].priced) == ("symbolic+llm", {"a"}, True)
    assert run_config(str(file), model="a", proposer="tuning").proposer == "tuning"


def test_workers_are_the_cores_of_this_machine_where_nothing_is_said() -> None:
    settled = settle(load_config(None), TaskLimits())
    assert (settled.workers, settled.in_flight) == (len(os.sched_getaffinity(0)), 2 * len(os.sched_getaffinity(0)))
    settled = settle(load_config(None, workers=3, in_flight=4), TaskLimits())
    assert (settled.workers, settled.in_flight) == (3, 4)
