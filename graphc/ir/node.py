"""Nodes: interned, immutable, with what is known *about* them beside them.

``apply`` is the one door: it coerces, infers the type and interns. The same operation on the same operands is the
same object, so common subexpressions are shared and dead code cannot exist.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.ir import origin
from graphc.ir.events import Event, Rebuilt
from graphc.ir.op import Op
from graphc.ir.operators import Operators
from graphc.ir.origin import Origin, Scope
from graphc.ir.pattern import Apply, AttrVar, Pattern
from graphc.ir.size import Size
from graphc.ir.types import Shape, Type, shape_text


class Array:
    """A NumPy array as an attribute: read-only, compared by its bytes."""

    __slots__ = ("value", "everywhere", "_key")

    everywhere: float | int | None
    """The number that every element is, the sign of a zero included; None for several, for nan, bools, or none."""

    def __init__(self, value: Any) -> None:
        array = np.array(value, order="C", copy=True)
        array = array.astype(
            array.dtype.newbyteorder("="), copy=False
        )  # the dtype's name says nothing of its order
        array.flags.writeable = False
        self.value = array
        self._key = (array.dtype.name, array.shape, array.tobytes())
        self.everywhere = _everywhere(array, self._key[2])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Array) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"Array({self.value.dtype.name}{shape_text(self.value.shape)})"


def _everywhere(array: np.ndarray[Any, Any], data: bytes) -> float | int | None:
    if array.dtype == np.bool_ or array.size == 0:
        return None
    first: float | int = array.flat[0].item()
    same = array.size == 1 or data == data[: array.itemsize] * array.size
    return first if same and first == first else None


class Node(Operators):
    """One value of a program: an operation, its operands and attributes, and a type.

    Nodes are made by ``apply`` (through the functions of ``graphc``), never directly. Identity is structure:
    ``a == b`` asks whether both are the same node. What users and passes said about a node (name, source lines,
    layer, events) is in ``about``, not in its identity.
    """

    __slots__ = ("op", "inputs", "attrs", "type", "serial", "about", "__weakref__")

    op: Op
    inputs: tuple[Node, ...]
    attrs: Mapping[str, Any]
    type: Type
    serial: int
    about: About

    def __init__(
        self, op: Op, inputs: tuple[Node, ...], attrs: Mapping[str, Any], type: Type, serial: int
    ) -> None:
        for slot, value in zip(
            Node.__slots__, (op, inputs, MappingProxyType(dict(attrs)), type, serial), strict=False
        ):
            object.__setattr__(self, slot, value)
        object.__setattr__(self, "about", About())

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a node is immutable; it has no settable {name!r}")

    @property
    def shape(self) -> Shape:
        """The sizes of the axes."""
        return self.type.shape

    @property
    def dtype(self) -> str:
        """The name of the dtype."""
        return self.type.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.type.shape)

    @property
    def name(self) -> str | None:
        """The name that was given, without the scopes around it."""
        return self.about.name

    def named(self, name: str) -> Node:
        """Name this node for listings, figures and explanations; returns the node."""
        if not isinstance(name, str) or not name.isprintable() or not name:
            raise ArgumentError("a name is text on one line", given=repr(name)[:80])
        self.about.rename(name, origin.current_scopes())
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        raise ArgumentError("a node lives in its process", fix="use str(graph) and gx.parse, or model.save")


class About:
    """What is known about a node: its name, the scopes it was made in, user lines, and events (newest last).

    ``hint`` is what to call it in a listing where it needs a name and nobody gave one.
    """

    __slots__ = ("name", "hint", "scopes", "origins", "events", "declared")

    def __init__(self) -> None:
        self.name: str | None = None
        self.hint: str | None = None
        self.declared = False
        self.scopes: tuple[Scope, ...] = ()
        self.origins: tuple[Origin, ...] = ()
        self.events: tuple[Event, ...] = ()

    def rename(self, name: str, scopes: tuple[Scope, ...]) -> None:
        """Give a name, with the scopes around it."""
        self.name, self.scopes = name, scopes

    def declare(self, place: Origin | None, scopes: tuple[Scope, ...]) -> None:
        """Another declaration of the same node: all origins are kept, the latest is shown."""
        self.declared = self.declared or place is not None
        if place is not None and place not in self.origins:
            self.origins = (*self.origins, place)
        if scopes and self.name is None:
            self.scopes = scopes

    def record(self, event: Event) -> None:
        """Add an event, unless it is known."""
        if all(event.key() != known.key() for known in self.events):
            self.events = (*self.events, event)

    def adopt(self, other: About) -> None:
        """Take over name, scopes and origins of the node that this one replaces, where it has none."""
        if self.name is None and other.name is not None:
            self.name, self.scopes = other.name, other.scopes
        self.hint = self.hint or other.hint
        self.declared = self.declared or other.declared
        if not self.scopes:
            self.scopes = other.scopes
        if not self.origins:
            self.origins = other.origins

    @property
    def origin(self) -> Origin | None:
        """The latest user line."""
        return self.origins[-1] if self.origins else None


_last_ops: dict[
    Origin, tuple[Op, int]
] = {}  # a line names what it ends with, even if a graph holds only its beginning
_serials = itertools.count()
_table: weakref.WeakValueDictionary[Any, Node] = weakref.WeakValueDictionary()
_lock = threading.RLock()


def apply(op: Op, *inputs: Any, **attrs: Any) -> Any:
    """The one door: coerce, infer the type, intern.

    Over a pattern it makes a pattern, so rules are written in the language they rewrite.

    Raises:
        ShapeError, DTypeError: the operands do not fit; the message names layer, operands, line and a fix.
        ArgumentError: a wrong number of operands, an unknown attribute, or an operand that is no node.
    """
    if any(isinstance(x, Pattern) for x in inputs) or any(isinstance(v, AttrVar) for v in attrs.values()):
        return Apply(op, inputs, attrs)
    full = _attributes(op, attrs)
    place = origin.current_place()
    nodes: Sequence[Any] = inputs
    try:
        nodes = op.coerce(inputs) if op.coerce else inputs
        _check_operands(op, nodes)
        node = build(op, nodes, full)
    except (ShapeError, DTypeError) as error:
        raise _placed(error, op, _as_given(inputs, nodes), place) from None
    node.about.declare(place, origin.current_scopes())
    if place is not None:
        _last_ops[place] = op, place.at
    return node


def ends_line(op: Op, place: Origin) -> bool:
    """Whether an operation was the one with which a line of the user's ended when it last ran."""
    return _last_ops.get(place) == (op, place.at)


def build(op: Op, inputs: Sequence[Node], attrs: Mapping[str, Any]) -> Node:
    """Infer the type and intern; for engines, whose operands are nodes already."""
    return intern(op, tuple(inputs), attrs, op.infer(*(x.type for x in inputs), **attrs))


def rebuild(node: Node, inputs: Sequence[Node]) -> Node:
    """The same operation over other operands."""
    if node.inputs == tuple(inputs):  # two nodes are equal when they are the same
        return node
    return build(node.op, inputs, node.attrs)


def rebuilt(node: Node, inputs: Sequence[Node]) -> Node:
    """The same operation over other operands, with name, layer and history carried over."""
    new = rebuild(node, inputs)
    if new is not node and new.op.kind != "leaf":
        new.about.adopt(node.about)
        new.about.record(Rebuilt(node))
    return new


def intern(op: Op, inputs: tuple[Node, ...], attrs: Mapping[str, Any], type: Type) -> Node:
    """The node of this structure: the one that exists, or a new one."""
    key = (op, inputs, type, tuple((k, freeze(v)) for k, v in attrs.items()))
    with _lock:
        node = _table.get(key)
        if node is None:
            node = _table[key] = Node(op, inputs, attrs, type, next(_serials))
        return node


def fresh_leaf(op: Op, attrs: Mapping[str, Any], type: Type) -> Node:
    """A leaf that is made, never interned: two calls are two leaves."""
    node = Node(op, (), attrs, type, next(_serials))
    node.about.declare(origin.current_place(), origin.current_scopes())
    return node


def freeze(value: Any) -> Any:
    """A hashable stand-in for an attribute that tells 1 from 1.0 and True, and 0.0 from -0.0."""
    if isinstance(value, float):
        return "float", value.hex()
    if isinstance(value, tuple):
        return tuple(freeze(v) for v in value)
    return type(value).__name__, value


def _attributes(op: Op, attrs: Mapping[str, Any]) -> dict[str, Any]:
    for key in attrs:
        if key not in op.attrs:
            raise ArgumentError(f"{op.name} has no attribute {key!r}", expected=", ".join(op.attrs) or "none")
    full = {key: attrs.get(key, default) for key, default in op.attrs.items()}
    for key, value in full.items():
        if value is ...:
            raise ArgumentError(f"{op.name} needs the attribute {key!r}")
    return full


def _check_operands(op: Op, nodes: Sequence[Any]) -> None:
    fixed = len(op.operands) - op.variadic
    if len(nodes) < fixed or (len(nodes) > fixed and not op.variadic):
        raise ArgumentError(f"{op.name} takes {fixed} operands", given=str(len(nodes)))
    for node in nodes:
        if not isinstance(node, Node):
            raise ArgumentError(
                f"{op.name} got something that is not a node",
                given=f"{type(node).__name__}: {str(node)[:60]}",
                fix="make a node of it with gx.const, gx.input or gx.param",
            )


def _as_given(inputs: Sequence[Any], nodes: Sequence[Any]) -> list[Any]:
    """Operands as the user wrote them where those are nodes, else as the nodes that were made of them."""
    if len(inputs) != len(nodes):
        return list(nodes)
    return [x if isinstance(x, Node) else node for x, node in zip(inputs, nodes, strict=True)]


def _placed(error: ShapeError | DTypeError, op: Op, inputs: Sequence[Any], place: Origin | None) -> Exception:
    """The same error, with operation, layer, operands and the user's line."""
    layer = origin.scope_text(origin.current_scopes())
    names = op.operand_names(len(inputs))
    given = error.given or ", ".join(
        f"{describe(x, fallback)}: {x.type}"
        for x, fallback in zip(inputs, names, strict=False)
        if isinstance(x, Node)
    )
    what = f"{op.name}{f' in layer {layer}' if layer else ''}: {error.what}"
    where = error.where or (str(place) if place else None)
    return type(error)(what, given=given, expected=error.expected, where=where, fix=error.fix)


def op_title(node: Node) -> str:
    """What an operation is called: a composite of the user's own by its name."""
    return str(node.attrs["name"]) if node.op.role == "call" else node.op.name


def operand_name(node: Node, place: int) -> str:
    """What an operand is called: by the card, or by the body that a card carries."""
    names = node.op.operand_names(len(node.inputs))
    if node.op.body_types is not None:
        given = node.attrs["names"]
        names = (*names[: len(names) - len(given)], *given)
    return names[place]


def hinted(node: Node, hint: str) -> Node:
    """A node with a word for listings, should it need a name."""
    node.about.hint = node.about.hint or hint
    return node


def describe(node: Node, fallback: str) -> str:
    """What to call a node in a message."""
    if node.about.name is None:
        return fallback
    return origin.full_name(node.about.name, node.about.scopes)


def toposort(roots: Sequence[Node]) -> list[Node]:
    """Every node that the roots need, operands first, in an order fixed by the structure (iterative)."""
    order: list[Node] = []
    seen: set[int] = set()
    stack: list[tuple[Node, Iterator[Node]]] = []
    for root in roots:
        if id(root) not in seen:
            seen.add(id(root))
            stack.append((root, iter(root.inputs)))
        while stack:
            node, rest = stack[-1]
            for child in rest:
                if id(child) not in seen:
                    seen.add(id(child))
                    stack.append((child, iter(child.inputs)))
                    break
            else:
                order.append(node)
                stack.pop()
    return order


def computation(node: Node) -> Any:
    """What the results of one computation have in common: all but which result they are; None for one result."""
    if node.op.joint is None:
        return None
    return node.op, node.inputs, tuple((k, freeze(v)) for k, v in node.attrs.items() if k != "result")


def result_groups(nodes: Sequence[Node]) -> dict[Node, tuple[Node, ...]]:
    """For each result of a computation with several, all of its results among these nodes, in their order."""
    groups: dict[Any, list[Node]] = {}
    for node in nodes:
        if node.op.joint is not None:
            groups.setdefault(computation(node), []).append(node)
    return {node: tuple(group) for group in groups.values() for node in group}


def substitute(roots: Sequence[Node], mapping: Mapping[Node, Node]) -> dict[Node, Node]:
    """Every node under the roots, mapped to itself over the replaced nodes."""
    done: dict[Node, Node] = dict(mapping)
    for node in toposort(roots):
        if node not in done:
            done[node] = rebuilt(node, [done[x] for x in node.inputs])
    return done


@contextmanager
def engine() -> Iterator[None]:
    """Inside, nodes are made by an engine: they get no user line of their own."""
    with origin.silent():
        yield


def size_names(nodes: Sequence[Node]) -> list[str]:
    """The names of sizes in the types and attributes of these nodes and of their bodies, in order of first use."""
    from graphc.ir.size import names_of

    dims = (dim for node in _with_bodies(nodes) for dim in (*node.shape, *_dims(node.attrs)))
    return list(dict.fromkeys(n for dim in dims if isinstance(dim, Size) for n in names_of(dim)))


def _with_bodies(nodes: Sequence[Node]) -> list[Node]:
    """Nodes, then those of the bodies that they carry, bodies in bodies included."""
    found, start = dict.fromkeys(nodes), 0
    while start < len(found):
        new, start = list(found)[start:], len(found)
        roots = [root for node in new for key in node.op.bodies for root in node.attrs[key]]
        found.update(dict.fromkeys(toposort(roots)))
    return list(found)


def _dims(attrs: Mapping[str, Any]) -> Iterator[Any]:
    """What stands in attributes, and in those that are tuples."""
    for value in attrs.values():
        yield from value if isinstance(value, tuple) else (value,)
