"""Metrics and artifacts of one evaluation."""

from dataclasses import dataclass, field


@dataclass
class EvaluationResult:
    """``metrics`` are numbers by name, ``artifacts`` texts or bytes by name."""

    metrics: dict = field(default_factory=dict)
    artifacts: dict = field(default_factory=dict)

    @classmethod
    def from_dict(cls, metrics):
        return cls(metrics=metrics)

    def to_dict(self):
        return self.metrics

    def has_artifacts(self):
        return bool(self.artifacts)
