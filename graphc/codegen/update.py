"""The update of a model's module: a function for each link of the optimizer, and the loops that call them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graphc.codegen.numpy import Function, function_of, quoted, wrapped_signature
from graphc.codegen.statements import MAX_WIDTH
from graphc.planning.order import Plan


@dataclass(frozen=True)
class Served:
    """A function of the listing, and the parameters that it serves."""

    plan: Plan
    params: tuple[str, ...]


@dataclass(frozen=True)
class TotalPlan:
    """A number over all parameters: what each brings to it, and whether that is summed or the largest is taken."""

    name: str
    equation: str
    functions: tuple[Served, ...]
    combine: str


@dataclass(frozen=True)
class LinkPlan:
    """The equations of one link.

    Attributes:
        name: the prefix of its slots.
        equation: in words, for the docstring.
        functions: one or more, each for the parameters whose code comes out the same.
        arguments: what each takes: ``theta``, ``g``, slots, ``t``, shared numbers, totals, ``lr``.
        changed: what each returns: ``theta``, ``g``, slots.
        driven: the settings that are schedules, with their variables in ``update``.
        shared: the function of the shared numbers, its arguments and its results.
        totals: what has to be known of all parameters before.
        counts: whether it has a counter.
        every: what follows waits for each such step.
        seed: of the noise that it reads.
        vector: its equations for all trained parameters in one vector, where each element goes its own way.
    """

    name: str
    equation: str
    functions: tuple[Served, ...]
    arguments: tuple[str, ...]
    changed: tuple[str, ...]
    shared: tuple[Plan, tuple[str, ...], tuple[str, ...]] | None = None
    totals: tuple[TotalPlan, ...] = ()
    counts: bool = False
    every: int = 1
    driven: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    vector: Plan | None = None

    @property
    def reads(self) -> set[str]:
        """What its functions take."""
        return {*self.arguments, *(self.shared[1] if self.shared else ())}

    def text(self, name: str) -> str:
        """How ``update`` writes an argument or a result of one parameter, or what all share."""
        fixed = {"theta": "params[name]", "g": "grads[name]", "lr": "lr", "t": f'slots["{self.name}.step"]'}
        if name in fixed or name in self.driven:
            return {**fixed, **self.driven}[name]
        if name == "z" and self.seed is not None:
            return f"_noise(params[name], {self.seed}, {fixed['t']}, name)"
        if name in {total.name for total in self.totals}:
            return self.total_name(name)
        if self.shared and name in self.shared[2]:
            return f'slots["{self.name}.{name}"]'
        return f'slots[f"{self.name}.{name}/{{name}}"]'

    def total_name(self, name: str) -> str:
        """The variable of ``update`` that holds a total."""
        return f"{self.name}_{name}"


@dataclass(frozen=True)
class DrivenPlan:
    """A number that follows the step.

    Attributes:
        variable: what ``update`` calls it.
        equation: in words, for the docstring.
        plan: a function of the step and the coefficients.
        coefficients: the variables that hold them.
        factor: the variable that it is multiplied by, or nothing.
    """

    variable: str
    equation: str
    plan: Plan
    coefficients: tuple[str, ...]
    factor: str = ""

    def lines(self, counter: str) -> list[str]:
        """Its value at this step: a Python float, which takes the dtype of what it meets."""
        start = (
            f"    {self.variable} = float({f'{self.factor} * ' if self.factor else ''}{self.plan.graph.name}("
        )
        arguments = [counter, *self.coefficients]
        line = f"{start}{', '.join(arguments)}))"
        if len(line) <= MAX_WIDTH:
            return [line]
        return [start, *(f"        {a}," for a in arguments), "    ))"]


@dataclass(frozen=True)
class UpdatePlan:
    """An optimizer for the trained parameters of a model.

    Attributes:
        links: in order.
        trained: the names of the parameters.
        shared_start: what all parameters share, before the first step, as code.
        slot_start: for each slot, its parameter and what it starts from: a number, or ``theta``.
        hypers: for each number that training may change (the rate, coefficients of schedules) its variable and default.
        driven: the numbers that follow the step, which ``counter`` counts.
    """

    links: tuple[LinkPlan, ...]
    trained: tuple[str, ...]
    shared_start: Mapping[str, str] = field(default_factory=dict)
    slot_start: Mapping[str, tuple[str, float | str]] = field(default_factory=dict)
    hypers: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    driven: tuple[DrivenPlan, ...] = ()
    counter: str = ""

    @property
    def flat(self) -> bool:
        """Whether all of it works on vectors of all trained parameters together."""
        return bool(self.links) and all(link.vector is not None for link in self.links)

    @property
    def variables(self) -> tuple[str, ...]:
        """The keywords of ``update`` and ``train_step``."""
        return tuple(variable for variable, _ in self.hypers.values())

    @property
    def helpers(self) -> tuple[str, ...]:
        """What ``update`` itself calls."""
        return (
            ("_noise",) if any("z" in link.arguments and link.seed is not None for link in self.links) else ()
        )

    def functions(self) -> list[Function]:
        """Every function that ``update`` calls."""
        found = [_function(d.plan, d.equation) for d in self.driven]
        for link in self.links:
            for total in link.totals:
                found += [_function(f.plan, total.equation) for f in total.functions]
            if link.shared:
                found.append(_function(link.shared[0], f"The next {', '.join(link.shared[2])}."))
            found += [_function(f.plan, link.equation) for f in link.functions]
        return found


def _function(plan: Plan, doc: str) -> Function:
    """A function that says its equations, each on a line of its own where they are long."""
    if len(doc) > MAX_WIDTH - 10:
        doc = doc.replace("; ", "\n    ") + "\n    "
    return function_of(plan, doc, comments=False, bare=True)


def slot_lines(update: UpdatePlan) -> list[str]:
    """The entries of the dict of slots, as they start."""
    lines = [f"        {quoted(name)}: {code}," for name, code in update.shared_start.items()]
    for slot, (param, start) in update.slot_start.items():
        lines.append(f"        {quoted(slot)}: {_start(quoted(param), start)},")
    return lines


def _start(param: str, start: float | str) -> str:
    if start == "theta":
        return f"params[{param}].copy()"
    return f"np.full_like(params[{param}], {start!r})" if start else f"np.zeros_like(params[{param}])"


def update_lines(update: UpdatePlan) -> list[str]:
    """The function ``update``."""
    changes_g = any("g" in link.changed for link in update.links)
    copies = "params, slots = dict(params), dict(slots)"
    if changes_g:
        copies = "params, slots, grads = dict(params), dict(slots), dict(grads)"
    lines = [
        *wrapped_signature("update", f"params, slots, grads, *, {', '.join(update.variables)}"),
        '    """The next parameters and slots."""',
        f"    {copies}",
    ]
    waiting = update.driven
    for segment in _segments(update.links):
        if waiting and any(link.reads & {"lr", *link.driven} for link in segment):
            lines += driven_lines(update)
            waiting = ()
        lines += [line for link in segment for line in shared_lines(link)]
        lines += [
            line for link in segment for total in link.totals for line in _total_lines(link, total, update)
        ]
        lines += _loops(segment, update)
        last = segment[-1]
        if last.every > 1 and last is not update.links[-1]:
            lines += [f"    if {last.text('t')} % {last.every}:", "        return params, slots"]
    return [*lines, "    return params, slots"]


def driven_lines(update: UpdatePlan) -> list[str]:
    """Numbers that follow the step, and the next step."""
    counter = f"slots[{quoted(update.counter)}]"
    values = [line for d in update.driven for line in d.lines(counter)]
    return [*values, f"    {counter} = {counter} + 1"]


def _segments(links: Sequence[LinkPlan]) -> list[list[LinkPlan]]:
    """Links that one sweep over the parameters can run: a total needs all before it, a pause ends one."""
    segments: list[list[LinkPlan]] = []
    for link in links:
        if not segments or link.totals or segments[-1][-1].every > 1:
            segments.append([])
        segments[-1].append(link)
    return segments


def shared_lines(link: LinkPlan) -> list[str]:
    """The next step, and the numbers that all parameters share."""
    lines = [f"    {link.text('t')} = {link.text('t')} + 1"] if link.counts else []
    if link.shared:
        plan, arguments, results = link.shared
        targets = ", ".join(link.text(n) for n in results)
        call = ", ".join(link.text(n) for n in arguments)
        lines.append(f"    {targets} = {plan.graph.name}({call})")
    return lines


def _total_lines(link: LinkPlan, total: TotalPlan, update: UpdatePlan) -> list[str]:
    if not total.functions:
        return []
    parts = []
    for served in total.functions:
        arguments = ", ".join(
            link.text(str(served.plan.graph.name_of(x))) for x in served.plan.graph.arguments
        )
        over = _over(served.params, update.trained)
        parts.append((f"{served.plan.graph.name}({arguments})", over))
    if len(parts) == 1:
        call, over = parts[0]
        return [f"    {link.total_name(total.name)} = {total.combine}({call} for name in {over})"]
    joined = ", ".join(f"*({call} for name in {over})" for call, over in parts)
    return [f"    {link.total_name(total.name)} = {total.combine}([{joined}])"]


def _loops(segment: Sequence[LinkPlan], update: UpdatePlan) -> list[str]:
    """Calls one after the other, in one loop where they are for the same parameters."""
    lines: list[str] = []
    here = ""
    for link in segment:
        for served in link.functions:
            over = _over(served.params, update.trained)
            if over != here:
                lines += _heading(over)
                here = over
            lines += _call(link, served)
    return lines


def _over(params: Sequence[str], trained: Sequence[str]) -> str:
    if tuple(params) == tuple(trained):
        return "grads"
    return f"({', '.join(quoted(p) for p in params)}{',' if len(params) == 1 else ''})"


def _heading(over: str) -> list[str]:
    line = f"    for name in {over}:"
    if len(line) <= MAX_WIDTH:
        return [line]
    names = over.strip("(),").split(", ")
    return ["    for name in (", *(f"        {name}," for name in names), "    ):"]


def _call(link: LinkPlan, served: Served) -> list[str]:
    """One call of a function, for the parameter ``name``."""
    arguments = [link.text(name) for name in link.arguments]
    targets = ", ".join(link.text(name) for name in link.changed)
    name = served.plan.graph.name
    line = f"        {targets} = {name}({', '.join(arguments)})"
    if len(line) <= MAX_WIDTH:
        return [line]
    return [f"        {targets} = {name}(", *(f"            {a}," for a in arguments), "        )"]
