"""Report: a run as one HTML page, and its figures as files."""

from .content import Content, Glossary
from .gallery import FIGURES, FORMATS, NothingToDraw, write_figure
from .page import write_report

__all__ = ["FIGURES", "FORMATS", "Content", "Glossary", "NothingToDraw", "write_figure", "write_report"]
