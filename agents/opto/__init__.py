"""Optimisation with traces of execution (OPTO): graphs, the part that feedback is about, what a model is told of it."""

from .rendering import render, trace_sections
from .sections import OptoSections

__all__ = ["OptoSections", "render", "trace_sections"]
