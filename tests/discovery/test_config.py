import pytest

from speciate.discovery.config import ConfigError, RunConfig, load_config


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
