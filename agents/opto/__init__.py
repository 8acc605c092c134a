"""Optimisation with traces of execution (OPTO): graphs, the part that feedback is about, what a model is told of it."""

from .cut import concise
from .rendering import render, trace_sections
from .sections import OptoSections

__all__ = ["OptoSections", "concise", "render", "trace_sections"]
