"""sinklora_sf_attn: attention against torch, what the heads are like, what is refused, and what the programs reach."""

import numpy as np
import pytest

from speciate.tasks.attention_kernels.sinklora_sf_attn import baseline, known_window_and_sinks, reference
from speciate.tasks.attention_kernels.sinklora_sf_attn.task import instances, judge
from speciate.tasks.attention_kernels.workloads import attention_output, long_context_heads

PROGRAMS = [baseline, reference, known_window_and_sinks]


@pytest.fixture(scope="module")
def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


def error(mask, instance):
    verdict = judge(instance, mask, None)
    assert verdict.valid, verdict.note
    return verdict.metrics["error"]


def test_attention_is_that_of_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    heads = long_context_heads(rng, 32, 3.0, 2)
    Q, K = heads.queries_and_keys(rng, 32)
    V, mask = (
        rng.standard_normal(Q.shape),
        np.tri(32, dtype=bool) & (rng.random((8, 32, 32)) < 0.5) | np.eye(32, dtype=bool),
    )
    mine = attention_output(heads.scores(Q, K), V, mask)
    penalty = -heads.slopes[:, None, None] * (np.arange(32)[:, None] - np.arange(32))
    bias = torch.tensor(np.where(mask, penalty, -np.inf))
    theirs = torch.nn.functional.scaled_dot_product_attention(*map(torch.tensor, (Q, K, V)), attn_mask=bias)
    assert np.allclose(mine, theirs.numpy())


def test_sinks_draw_attention_and_far_heads_ignore_distance():
    rng = np.random.default_rng(1)
    heads = long_context_heads(rng, 256, 5.0, 3)
    scores = heads.scores(*heads.queries_and_keys(rng, 256))
    assert (heads.slopes == 0).sum() == 3
    assert np.array_equal(heads.slopes == 0, np.abs(heads.topics).sum(axis=(1, 2)) > 0)
    near = scores[:, :20]
    assert near[:, 10:, :4].mean() > near[:, 10:, 4:10].mean() + 2


def test_instances_repeat_and_differ_between_seeds():
    one, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    assert len(one) == 4
    for mine, same in zip(one, again, strict=True):
        assert np.array_equal(mine.inputs["Q"], same.inputs["Q"])
        assert np.array_equal(mine.secret[1][1].V, same.secret[1][1].V)
    assert not np.array_equal(one[0].inputs["Q"], other[0].inputs["Q"])
    assert not np.array_equal(one[0].inputs["K"], one[0].secret[1][0].K)


def test_density_counts_causal_pairs_once(smoke):
    n = smoke.inputs["Q"].shape[1]
    mask = baseline.pattern(**smoke.inputs)
    assert error(mask | np.triu(np.ones((n, n), dtype=bool), 1), smoke) == error(mask, smoke)
    full = np.ones_like(mask)
    verdict = judge(smoke, full, None)
    assert not verdict.valid
    assert "density" in verdict.note


def test_the_reference_uses_the_budget_and_never_wraps_around(smoke):
    mask = reference.pattern(**smoke.inputs)
    used = reference.density(mask)
    assert 0.9 * smoke.inputs["budget"] < used <= smoke.inputs["budget"]
    assert not mask[:, -1, reference.SINKS : 8].any()
    assert baseline.pattern(**smoke.inputs)[-1, -1, 0]


def test_pairs_at_random_and_none_at_all_lose(smoke):
    rng = np.random.default_rng(2)
    plain = error(baseline.pattern(**smoke.inputs), smoke)
    assert error(np.zeros_like(baseline.pattern(**smoke.inputs)), smoke) > plain
    assert error(rng.random((8, 64, 64)) < 0.2, smoke) > 0.8 * plain


def test_the_order_of_the_programs():
    gains = []
    for instance in instances(np.random.default_rng(0), "default"):
        shifted, fixed, window = (error(program.pattern(**instance.inputs), instance) for program in PROGRAMS)
        assert window < fixed < shifted, instance.name
        gains.append(np.log(shifted / fixed))
    assert np.mean(gains) > 0.15


@pytest.mark.parametrize(
    "spoil",
    [
        lambda mask: None,
        lambda mask: mask[:-1],
        lambda mask: mask[0],
        lambda mask: mask.astype(float),
        lambda mask: mask.astype(np.uint8),
        lambda mask: mask.tolist(),
        lambda mask: "mask",
        lambda mask: True,
    ],
)
def test_hostile_outputs_are_refused(spoil, smoke):
    assert not judge(smoke, spoil(baseline.pattern(**smoke.inputs)), None).valid
