"""lion_search: gradients, trajectories, hidden state, and what the rules reach."""

import inspect
from contextlib import contextmanager

import numpy as np
import pytest

from speciate.evaluators import Size
from speciate.tasks.optimizers import workloads
from speciate.tasks.optimizers.lion_search import baseline, known_signum, reference
from speciate.tasks.optimizers.lion_search.task import drive, instances, judge


class FreshNamespaces:
    """A session whose processes are fresh module namespaces: enough to tell what survives a replacement."""

    def __init__(self, source):
        self.source = source if isinstance(source, str) else inspect.getsource(source)

    @contextmanager
    def process(self):
        yield _Namespace(self.source)


class _Namespace:
    def __init__(self, source):
        self.names = {}
        exec(source, self.names)

    def call(self, entry, inputs):
        return self.names[entry](**inputs)


def run(source, size: Size = "smoke", seed=0):
    made = instances(np.random.default_rng(seed), size)
    return [judge(instance, drive(instance, FreshNamespaces(source)), None) for instance in made]


def geometric_mean(source, seed):
    return float(np.exp(np.mean([np.log(v.metrics["excess_loss"]) for v in run(source, "default", seed)])))


def rule(body, head=""):
    lines = "\n    ".join(body.strip().splitlines())
    return f"import numpy as np\n{head}\ndef update(w, g, state, step, total_steps, hints):\n    {lines}\n"


@pytest.mark.parametrize("kind", ["language", "glyphs"])
def test_gradients_agree_with_finite_differences(kind):
    rng = np.random.default_rng(0)
    if kind == "language":
        problem = workloads.trigram_language(rng, words=12, classes=3, width=4, hidden=6, batch=8)
    else:
        problem = workloads.noisy_glyphs(rng, classes=4, hidden=6, batch=8, wrong=0.2)
    w, rows = problem.start + 0.1 * rng.standard_normal(problem.start.size), np.arange(40)

    def loss(flat):
        shown = workloads._forward(problem, workloads.unflatten(flat, problem.shapes), problem.features[rows])[-1]
        return -np.mean(np.log(shown[np.arange(40), problem.labels[rows]]))

    gradient = workloads.loss_gradient(problem, w, rows)
    for k in rng.integers(0, w.size, 25):
        step = np.zeros_like(w)
        step[k] = 1e-6
        assert gradient[k] == pytest.approx((loss(w + step) - loss(w - step)) / 2e-6, abs=1e-5)


def test_the_excess_of_the_true_distribution_is_zero_and_of_any_other_positive():
    problem = workloads.noisy_glyphs(np.random.default_rng(0), classes=4, hidden=6, batch=8, wrong=0.2)
    assert workloads.excess_loss(problem, problem.start) > 0.1
    assert np.allclose(problem.truth.sum(axis=1), 1)
    assert np.mean(problem.labels == problem.labels[0]) < 0.5


def test_instances_are_deterministic_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.secret.problem.features, b.secret.problem.features)
        assert a.secret.swaps == b.secret.swaps
        assert not np.array_equal(a.secret.problem.start[:50], c.secret.problem.start[:50])
    assert len({i.secret.problem.start.size for i in (*first, *other)}) > 3


def test_reference_follows_lion_written_by_hand():
    rng = np.random.default_rng(0)
    w = expected = rng.standard_normal(20).astype(np.float32)
    state, m = np.zeros((1, 20), np.float32), np.zeros(20)
    for t in range(30):
        g = rng.standard_normal(20).astype(np.float32)
        eta = reference.RATE * min(1, (t + 1) / 20) * (1 + np.cos(np.pi * (t + 1) / 30)) / 2
        expected = expected - eta * (np.sign(0.9 * m + 0.1 * g) + reference.DECAY * expected)
        m = 0.99 * m + 0.01 * g
        w, state = reference.update(w, g, state, t, 30, {})
    assert np.allclose(w, expected, atol=1e-5)


def test_baseline_follows_torch_sgd():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    start, gradients = rng.standard_normal(20), rng.standard_normal((30, 20))
    parameter = torch.nn.Parameter(torch.tensor(start))
    optimizer = torch.optim.SGD([parameter], lr=1.0, momentum=0.9)
    w, state = start.astype(np.float32), np.zeros((1, 20), np.float32)
    for t, g in enumerate(gradients):
        rate = baseline.RATE * min(1, (t + 1) / 20) * (1 + np.cos(np.pi * (t + 1) / 30)) / 2
        optimizer.param_groups[0]["lr"] = rate
        with torch.no_grad():
            parameter.mul_(1 - rate * baseline.DECAY)
        parameter.grad = torch.tensor(g)
        optimizer.step()
        w, state = baseline.update(w, g.astype(np.float32), state, t, 30, {})
    assert np.allclose(w, parameter.detach().numpy(), atol=1e-4)


def test_reference_beats_baseline_on_fresh_seeds():
    gains = [np.log(geometric_mean(baseline, s) / geometric_mean(reference, s)) for s in (21, 22, 23)]
    assert np.mean(gains) > 3 * np.std(gains, ddof=1) / np.sqrt(3)
    assert np.mean(gains) > 0.2


def test_signum_is_about_as_good_as_lion():
    assert abs(np.log(geometric_mean(known_signum, 21) / geometric_mean(reference, 21))) < 0.2


def test_weights_left_alone_are_worth_less_than_the_baseline():
    still = run(rule("return w, state"), "smoke")[0]
    trained = run(baseline, "smoke")[0]
    assert still.metrics["excess_loss"] > trained.metrics["excess_loss"]


def test_a_buffer_hidden_in_the_process_is_caught():
    hidden = rule("seen.append(g)\nreturn w - 0.1 * np.mean(seen, axis=0, dtype=np.float32), state", "seen = []")
    assert "fresh process" in run(hidden)[0].note


def test_unseeded_randomness_is_caught():
    noise = rule("return w - 0.1 * g * np.float32(np.random.default_rng().random()), state")
    assert not run(noise)[0].valid


@pytest.mark.parametrize(
    "body",
    [
        "return w",
        "return None",
        "return w, state[0]",
        "return w, np.zeros((2, w.size), np.float32)",
        "return w.astype(np.float64), state",
        "return w * np.float32(np.nan), state",
        "return w, state + np.float32(np.inf)",
        "return w.tolist(), state",
        "return w[None], state",
        "return {'w': w}, state",
    ],
)
def test_hostile_replies_are_invalid(body):
    assert not run(rule(body))[0].valid


def test_divergence_is_invalid_and_not_an_error():
    assert not run(rule("return w - np.float32(1e8) * g, state"))[0].valid


def test_numbers_packed_in_low_bits_do_not_survive():
    packed = rule(
        "bits = state.view(np.uint32)\n"
        "assert step == 0 or np.all((bits & 0xF) == 5), 'lost'\n"
        "return w - 0.1 * g, ((np.float32(0.9) * state + g).view(np.uint32) & 0xFFFFFFF0 | 5).view(np.float32)"
    )
    with pytest.raises(AssertionError, match="lost"):
        run(packed)
