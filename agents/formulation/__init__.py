"""Task folders out of descriptions in plain words, by a language model that corrects itself."""

from .rounds import Formulated, FormulationError, Order, Refused, formulate, is_free

__all__ = ["Formulated", "FormulationError", "Order", "Refused", "formulate", "is_free"]
