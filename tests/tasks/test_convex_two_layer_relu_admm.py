"""convex_two_layer_relu_admm: a certified lower bound, slopes against torch, hostile nets, and the lead over Adam."""

import numpy as np
import pytest

from speciate.evaluators import State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.second_order import relu_nets
from speciate.tasks.second_order.convex_two_layer_relu_admm import baseline, known_lbfgs, known_more_steps, reference
from speciate.tasks.second_order.convex_two_layer_relu_admm.task import KINDS, instances, task

PROGRAMS = [baseline, reference, known_lbfgs, known_more_steps]


def inputs_of(kind: str, beta: float, n: int, max_units: int, seed: int = 0) -> dict:
    X, y = KINDS[kind](np.random.default_rng(seed), n)
    return {"X": X, "y": y, "beta": beta, "max_units": max_units, "seed": seed}


def loss_of(program, inputs) -> float:
    return relu_nets.penalised(inputs["X"], inputs["y"], inputs["beta"], *program.train(**inputs))


def lower_bound(X: np.ndarray, y: np.ndarray, beta: float, residual: np.ndarray) -> float:
    """Weak duality: no net has a loss below (|y|^2 - |y - z|^2) / 2 where |z' relu(X w)| <= beta for unit w (2,)."""
    angle = np.linspace(0, 2 * np.pi, 200_001)
    most = max(
        np.abs(residual @ np.maximum(X @ np.stack([np.cos(part), np.sin(part)]), 0)).max()
        for part in np.array_split(angle, 20)
    )
    # Between two angles of the grid the product changes by at most its Lipschitz constant times half the spacing.
    most += np.abs(residual) @ np.linalg.norm(X, axis=1) * np.pi / 200_000
    z = residual * min(1.0, beta / most)
    return float(y @ y - (y - z) @ (y - z)) / 2


@pytest.mark.parametrize("beta", [1e-2, 1e-3])
def test_the_reference_comes_to_a_certified_lower_bound_with_one_variable(beta, monkeypatch):
    inputs = inputs_of("steps", beta, 30, 120, seed=2)
    X, y = inputs["X"], inputs["y"]
    quick = loss_of(reference, inputs)
    monkeypatch.setattr(reference, "ITERATIONS", 4000)
    W, a = reference.train(**inputs)
    bound = lower_bound(X, y, beta, y - np.maximum(X @ W, 0) @ a)
    attained = relu_nets.penalised(X, y, beta, W, a)
    assert 0 < bound <= attained <= 1.03 * bound
    assert attained <= quick <= 1.1 * bound
    assert min(loss_of(program, inputs) for program in (baseline, known_lbfgs)) > 1.1 * bound


def test_the_loss_and_the_steps_of_the_baseline_are_torchs(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(baseline, "STEPS", 200)
    inputs = inputs_of("board", 1e-2, 20, 8)
    X, y = torch.tensor(inputs["X"]), torch.tensor(inputs["y"])
    rng = np.random.default_rng(inputs["seed"])
    W = torch.tensor(rng.standard_normal((3, 4)) * np.sqrt(2 / 3), requires_grad=True)
    a = torch.tensor(rng.standard_normal(4) / 2, requires_grad=True)
    optimizer = torch.optim.Adam([W, a], lr=baseline.RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 - t / baseline.STEPS)
    loss = torch.zeros(1)
    for _ in range(baseline.STEPS):
        loss = (((torch.relu(X @ W) @ a - y) ** 2).sum() + 1e-2 * ((W**2).sum() + (a**2).sum())) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    net = (W.detach().numpy(), a.detach().numpy())
    theirs = relu_nets.penalised(inputs["X"], inputs["y"], 1e-2, *net)
    assert loss.item() == pytest.approx(theirs, rel=1e-3)
    assert loss_of(baseline, inputs) == pytest.approx(theirs, rel=1e-6)


def test_every_pattern_of_one_variable_is_listed():
    X, _ = relu_nets.steps(np.random.default_rng(3), 12)
    listed = reference.patterns(X, 1000, np.random.default_rng(0))
    found = np.unique(X @ np.random.default_rng(1).standard_normal((2, 50_000)) >= 0, axis=1)
    assert {tuple(column) for column in found.T if column.any()} <= {tuple(column) for column in listed.T}
    assert listed.shape[1] == 2 * len(X) - 1


def test_scaling_a_unit_leaves_the_net_but_not_its_penalty():
    inputs = inputs_of("planted", 1e-2, 20, 40)
    X, y = inputs["X"], inputs["y"]
    W, a = reference.train(**inputs)
    least = relu_nets.penalised(X, y, 1e-2, W, a)
    assert relu_nets.penalised(X, y, 1e-2, 2 * W, a / 2) > least
    assert relu_nets.penalised(X, y, 0.0, 2 * W, a / 2) == pytest.approx(relu_nets.penalised(X, y, 0.0, W, a))


def test_a_gated_net_is_judged_as_the_net_that_it_is():
    instance = instances(np.random.default_rng(0), "smoke")[0]
    X, y = instance.inputs["X"], instance.inputs["y"]
    gate = (X @ np.random.default_rng(0).standard_normal((2, 80)) > 0).astype(float)
    features = (gate[:, :, None] * X[:, None, :]).reshape(len(X), -1)
    fitted = np.linalg.lstsq(features, y, rcond=None)[0]
    assert np.linalg.norm(features @ fitted - y) < 0.2 * np.linalg.norm(y)
    W = fitted.reshape(80, 2).T
    assert judged(task, instance, (W, np.ones(80)), None).metrics["loss"] > 0.5


def test_a_net_of_zeros_has_the_loss_one_and_descriptors_count():
    instance = instances(np.random.default_rng(0), "smoke")[1]
    found = judged(task, instance, (np.zeros((3, 5)), np.zeros(5)), None)
    assert found.valid
    assert found.metrics == pytest.approx({"loss": 1.0, "units": 5.0, "patterns": 1.0})


@pytest.mark.parametrize(
    "output",
    [
        None,
        "ab",
        (np.zeros((2, 3)),),
        (np.zeros((2, 81)), np.zeros(81)),
        (np.zeros((2, 0)), np.zeros(0)),
        (np.zeros((3, 2)), np.zeros(2)),
        (np.zeros((2, 3)), np.zeros(4)),
        (np.zeros((2, 3)), np.zeros((3, 1))),
        (np.zeros((2, 3)), np.full(3, np.nan)),
        (np.full((2, 3), np.inf), np.zeros(3)),
        (np.full((2, 3), 1e5), np.zeros(3)),
        (np.zeros((2, 3), complex), np.zeros(3)),
        (np.zeros((2, 3), dtype="U3"), np.zeros(3)),
        (np.zeros((2, 3)), np.zeros(3), "more"),
        {"W": np.zeros((2, 3)), "a": np.zeros(3)},
        np.zeros((3, 3)),
    ],
)
def test_other_outputs_are_no_nets(output):
    assert not judged(task, instances(np.random.default_rng(0), "smoke")[0], output, None).valid


def test_instances_are_deterministic_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.inputs["X"], b.inputs["X"])
        assert np.array_equal(a.inputs["y"], b.inputs["y"])
        assert a.inputs["seed"] == b.inputs["seed"]
        assert not np.array_equal(a.inputs["y"], c.inputs["y"])
        assert np.all(a.inputs["X"][:, -1] == 1)
        assert a.secret is None


def test_the_reference_is_ahead_of_adam_and_of_simple_methods_on_square_waves():
    made = instances(np.random.default_rng(7), "default")
    plain, paper, known, more_steps = (
        np.log([judged(task, i, program.train(**i.inputs), None).metrics["loss"] for i in made]) for program in PROGRAMS
    )
    gains = plain - paper
    assert gains.mean() > 3 * gains.std(ddof=1) / np.sqrt(len(gains) * 2)
    assert np.all(paper[:2] < known[:2])
    assert known.mean() < plain.mean()
    assert paper.mean() < more_steps.mean() < plain.mean()


def test_generic_cheats_get_nothing():
    folder = load_task("convex_two_layer_relu_admm")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
