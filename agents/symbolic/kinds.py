"""Light typing of expressions: number or array, and which arrays share a shape. A guess, never a proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import libcst as cst

from .tree import code_of, words


class Base(StrEnum):
    INT = "int"
    NUMBER = "number"
    BOOL = "bool"
    ARRAY = "array"
    MODULE = "module"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Kind:
    """``shape`` is a label: arrays met in one elementwise operation carry the same one (see ``Shapes``)."""

    base: Base
    shape: str = ""


INT, NUMBER, BOOL = Kind(Base.INT), Kind(Base.NUMBER), Kind(Base.BOOL)
MODULE, OTHER, UNKNOWN = Kind(Base.MODULE), Kind(Base.OTHER), Kind(Base.UNKNOWN)
SCALARS = (Base.INT, Base.NUMBER)

ELEMENTWISE = words(
    "sqrt exp log log1p expm1 log2 log10 abs absolute fabs sign tanh sinh cosh sin cos tan arctan arcsin "
    "arccos cbrt square negative reciprocal floor ceil rint round clip maximum minimum add subtract multiply "
    "divide power hypot arctan2 nan_to_num cumsum copy asarray array ascontiguousarray float32 float64 where "
    "fmod mod logaddexp copysign sort real flip heaviside softmax"
)
CREATORS = words("zeros ones empty full arange linspace eye identity logspace geomspace zeros_like")
REDUCTIONS = words(
    "sum mean max min median std var prod norm dot vdot linalg.norm amax amin trace average percentile "
    "quantile ptp argmax argmin count_nonzero all any nanmax nanmin nansum"
)
_RESHAPING = words("T reshape ravel flatten transpose")
ARRAY_MEMBERS = (
    ELEMENTWISE | CREATORS | REDUCTIONS | _RESHAPING | words("shape size ndim dtype astype argsort argpartition")
)
_ANNOTATIONS = {"int": INT, "float": NUMBER, "bool": BOOL, "str": OTHER, "dict": OTHER, "list": OTHER, "tuple": OTHER}


class Shapes:
    """Classes of shape labels, joined as the program is read (union-find)."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def root(self, label: str) -> str:
        while label in self._parent:
            label = self._parent[label]
        return label

    def join(self, left: str, right: str) -> str:
        one, other = self.root(left), self.root(right)
        if one != other:
            self._parent[other] = one
        return one


def annotated(text: str, name: str) -> Kind:
    """The kind that a parameter's annotation promises; ``name`` becomes the shape label of an array."""
    if "ndarray" in text or "NDArray" in text:
        return Kind(Base.ARRAY, name)
    return _ANNOTATIONS.get(text.split("[", maxsplit=1)[0].strip(), UNKNOWN)


class Typing:
    """Kinds of expressions, given those of names. ``objects`` are names that are called or have unusual members."""

    def __init__(
        self, names: Mapping[str, Kind], shapes: Shapes | None = None, objects: frozenset[str] = frozenset()
    ) -> None:
        self.names = dict(names)
        self.shapes = shapes or Shapes()
        self.objects = objects

    def bind(self, name: str, kind: Kind) -> None:
        """A name assigned twice keeps the kind on which both agree, a number's or array's rather than none."""
        known = self.names.get(name)
        if known is None or known.base is Base.UNKNOWN:
            self.names[name] = kind
        elif known.base is Base.ARRAY and kind.base is Base.ARRAY:
            self.shapes.join(known.shape, kind.shape)
        elif kind.base is not known.base and kind.base is not Base.UNKNOWN:
            self.names[name] = NUMBER if {kind.base, known.base} == set(SCALARS) else self._wider(known, kind)

    def kind(self, node: cst.CSTNode) -> Kind:
        reader = _READERS.get(type(node))
        found = reader(self, node) if reader else UNKNOWN
        return Kind(Base.ARRAY, self.shapes.root(found.shape)) if found.base is Base.ARRAY else found

    def fits(self, kind: Kind, place: Kind, broadcast: bool) -> bool:
        """Whether an expression of one kind may stand where one of another stood."""
        if place.base is Base.ARRAY:
            same = kind.base is Base.ARRAY and self.shapes.root(kind.shape) == self.shapes.root(place.shape)
            return same or (broadcast and kind.base in SCALARS)
        if place.base is Base.NUMBER:
            return kind.base in SCALARS
        if place.base is Base.UNKNOWN:
            return broadcast and kind.base is Base.UNKNOWN
        return place.base is kind.base and place.base in (Base.INT, Base.BOOL)

    @staticmethod
    def _wider(one: Kind, other: Kind) -> Kind:
        return one if one.base is Base.ARRAY else other if other.base is Base.ARRAY else UNKNOWN

    def _combined(self, left: Kind, right: Kind) -> Kind:
        if OTHER in (left, right):
            return OTHER
        if left.base is Base.ARRAY and right.base is Base.ARRAY:
            return Kind(Base.ARRAY, self.shapes.join(left.shape, right.shape))
        if Base.ARRAY in (left.base, right.base):
            return self._wider(left, right)
        if left.base is Base.INT and right.base is Base.INT:
            return INT
        return NUMBER if left.base in SCALARS and right.base in SCALARS else UNKNOWN

    def _name(self, node: cst.Name) -> Kind:
        known = self.names.get(node.value, UNKNOWN)
        if known is UNKNOWN and node.value in self.objects:
            return OTHER
        return BOOL if node.value in ("True", "False") else known

    def _binary(self, node: cst.BinaryOperation) -> Kind:
        left, right = self.kind(node.left), self.kind(node.right)
        if isinstance(node.operator, cst.MatrixMultiply):
            arrays = Base.ARRAY in (left.base, right.base)
            return Kind(Base.ARRAY, code_of(node)) if arrays else UNKNOWN
        combined = self._combined(left, right)
        return NUMBER if combined is INT and isinstance(node.operator, (cst.Divide, cst.Power)) else combined

    def _unary(self, node: cst.UnaryOperation) -> Kind:
        return BOOL if isinstance(node.operator, cst.Not) else self.kind(node.expression)

    def _compare(self, node: cst.Comparison) -> Kind:
        kinds = (self.kind(node.left), *(self.kind(target.comparator) for target in node.comparisons))
        return BOOL if all(kind.base in SCALARS for kind in kinds) else UNKNOWN

    def _choice(self, node: cst.IfExp) -> Kind:
        return self._combined(self.kind(node.body), self.kind(node.orelse))

    def _subscript(self, node: cst.Subscript) -> Kind:
        base = self.kind(node.value)
        sliced = any(isinstance(element.slice, cst.Slice) for element in node.slice)
        if base.base is Base.ARRAY and sliced:
            return Kind(Base.ARRAY, code_of(node))
        if isinstance(node.value, cst.Attribute) and node.value.attr.value == "shape":
            return INT
        return UNKNOWN

    def _attribute(self, node: cst.Attribute) -> Kind:
        name = node.attr.value
        if name in ("size", "ndim"):
            return INT
        if name in _RESHAPING and self.kind(node.value).base is Base.ARRAY:
            return Kind(Base.ARRAY, code_of(node))
        return NUMBER if code_of(node) in ("np.pi", "math.pi", "np.e") else UNKNOWN

    def _call(self, node: cst.Call) -> Kind:
        name = called(node)
        arguments = [self.kind(arg.value) for arg in node.args if arg.keyword is None]
        method = isinstance(node.func, cst.Attribute) and self.kind(node.func.value).base is not Base.MODULE
        if method and isinstance(node.func, cst.Attribute):
            arguments.insert(0, self.kind(node.func.value))
        if name in ("len", "int", "argmax", "argmin"):
            return INT
        if name == "float":
            return NUMBER
        if name in CREATORS:
            return arguments[0] if name == "zeros_like" and arguments else Kind(Base.ARRAY, self._size(node))
        if name in REDUCTIONS:
            partial = any(arg.keyword is not None and arg.keyword.value == "axis" for arg in node.args)
            return Kind(Base.ARRAY, code_of(node)) if partial else NUMBER
        if name in ("standard_normal", "normal", "random", "uniform"):
            return Kind(Base.ARRAY, code_of(node.args[-1].value)) if node.args else NUMBER
        if name in ("min", "max", "abs", "astype") or name in ELEMENTWISE:
            return self._folded(arguments)
        if name in ("repr", "str", "list", "tuple", "dict", "zip", "range", "enumerate"):
            return OTHER
        return Kind(Base.ARRAY, code_of(node)) if name in _RESHAPING | {"solve", "einsum", "outer"} else UNKNOWN

    def _folded(self, kinds: list[Kind]) -> Kind:
        folded = kinds[0] if kinds else UNKNOWN
        for kind in kinds[1:]:
            folded = self._combined(folded, kind)
        return NUMBER if folded is INT else folded

    @staticmethod
    def _size(node: cst.Call) -> str:
        return code_of(node.args[0].value) if node.args else code_of(node)


def called(node: cst.Call) -> str:
    """The last part of what is called: ``sqrt`` of ``np.sqrt(x)``."""
    if isinstance(node.func, cst.Attribute):
        return node.func.attr.value
    return node.func.value if isinstance(node.func, cst.Name) else ""


_READERS = {
    cst.SimpleString: lambda typing, node: OTHER,
    cst.ConcatenatedString: lambda typing, node: OTHER,
    cst.FormattedString: lambda typing, node: OTHER,
    cst.List: lambda typing, node: OTHER,
    cst.ListComp: lambda typing, node: OTHER,
    cst.Tuple: lambda typing, node: OTHER,
    cst.Dict: lambda typing, node: OTHER,
    cst.Integer: lambda typing, node: INT,
    cst.Float: lambda typing, node: NUMBER,
    cst.Name: Typing._name,
    cst.BinaryOperation: Typing._binary,
    cst.UnaryOperation: Typing._unary,
    cst.Comparison: Typing._compare,
    cst.IfExp: Typing._choice,
    cst.Subscript: Typing._subscript,
    cst.Attribute: Typing._attribute,
    cst.Call: Typing._call,
}
