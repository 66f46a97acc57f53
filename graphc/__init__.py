"""graphc: write the maths, read the backprop, run the NumPy.

Declare a network as equations; graphc derives backpropagation as a graph in the same language, stabilises and
simplifies it, draws and explains every step, and generates one readable NumPy program that trains it.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

# Public name to the module that defines it; loaded on first use, so `import graphc` stays fast (PEP 562).
_WHERE: dict[str, str] = {
    name: module
    for module, names in {
        "graphc.errors": "GraphcError",
        "graphc.ops.leaves": "input param state hyper const size full zeros ones zeros_like ones_like",
        "graphc.ops.init": "init",
        "graphc.ops.arith": "add subtract multiply divide negative pow power square abs sign maximum minimum clip",
        "graphc.ops.math": (
            "exp exp2 expm1 log log2 log10 log1p log1mexp logaddexp xlogx xlogy sqrt rsqrt reciprocal "
            "sin cos tanh erf sigmoid softplus sigmoid_cross_entropy relu leaky_relu elu gelu silu"
        ),
        "graphc.ops.activations": (
            "relu6 prelu selu celu gelu_tanh mish softsign log_sigmoid hard_sigmoid hard_tanh hard_swish "
            "tanhshrink softshrink hardshrink threshold"
        ),
        "graphc.ops.losses": "huber log_cosh",
        "graphc.ops.trig": (
            "tan arcsin arccos arctan arctan2 sinh cosh arcsinh arccosh arctanh hypot "
            "asin acos atan atan2 asinh acosh atanh"
        ),
        "graphc.ops.special": "erfc erfcinv erfinv gammaln digamma polygamma",
        "graphc.ops.rounding": (
            "floor ceil trunc round remainder floor_divide copysign isfinite isinf isnan signbit nan_to_num"
        ),
        "graphc.ops.compare": (
            "equal not_equal less less_equal greater greater_equal "
            "logical_and logical_or logical_xor logical_not where"
        ),
        "graphc.ops.reduce": "sum mean var std max min argmax argmin any all",
        "graphc.ops.norms": "norm matrix_norm vector_norm",
        "graphc.ops.cumulate": "prod cumsum cumprod cumulative_sum cumulative_prod",
        "graphc.ops.order": "sort argsort partition argpartition quantile median",
        "graphc.ops.shape": (
            "reshape transpose matrix_transpose expand_dims squeeze broadcast_to astype stop_gradient"
        ),
        "graphc.ops.slices": "concat",
        "graphc.ops.contract": "matmul",
        "graphc.ops.index": "take one_hot",
        "graphc.ops.gather": "gather scatter_add take_along_axis",
        "graphc.ops.create": "arange linspace eye tril triu diagonal diag trace",
        "graphc.ops.arrange": "permute_dims moveaxis swapaxes flip roll repeat tile pad stack split unstack",
        "graphc.ops.einsum": "einsum tensordot vecdot inner outer kron cross matrix_power",
        "graphc.ops.linalg": "inv solve solve_triangular det slogdet cholesky",
        "graphc.ops.windows": "sliding_windows fold",
        "graphc.ops.conv": "conv conv1d conv2d conv_transpose",
        "graphc.ops.pool": "max_pool avg_pool global_avg_pool global_max_pool",
        "graphc.ops.decompose": "eigh eigvalsh svd svdvals qr pinv",
        "graphc.ops.bits": (
            "bitwise_and bitwise_or bitwise_xor bitwise_invert bitwise_left_shift bitwise_right_shift"
        ),
        "graphc.ops.counting": (
            "count_nonzero ptp diff searchsorted broadcast_arrays meshgrid full_like positive"
        ),
        "graphc.ops.combine": "add_at multiply_at maximum_at minimum_at",
        "math": "e inf nan pi",
        "graphc.ops.put": "put put_along_axis set_at",
        "graphc.ops.nn": "softmax log_softmax logsumexp",
        "graphc.ops.random": "bernoulli normal",
        "graphc.ops.effects": "update by_mode composite",
        "graphc.ops.assume": "assume",
        "graphc.ops.scan": "scan",
        "graphc.ops.cond": "cond",
        "graphc.ir.origin": "scope",
        "graphc.ir.graph": "Graph graph_of",
        "graphc.derivatives": "grad vjp jvp hvp gauss_newton jacobian hessian",
        "graphc.stages": "simplify plan emit compile retype parse scalar_function",
        "graphc.runtime.load": "load_source",
        "graphc.runtime.program": "Program",
        "graphc.runtime.interpret": "interpret",
        "graphc.symbolic.sympify": "to_sympy",
        "graphc.explanation.networkx": "to_networkx",
        "graphc.explanation.steps": "explain",
        "graphc.explanation.misses": "why_not",
        "graphc.explanation.blame": "blame",
        "graphc.explanation.kernels": "accuracy",
        "graphc.explanation.report": "report",
        "graphc.explanation.profile": "profile",
        "graphc.explanation.difference": "changes",
        "graphc.render": "draw",
        "graphc.render.derive": "derivation",
        "graphc.viewer": "view",
        "graphc.check": "check_grad",
        "graphc.train.model": "Model",
        "graphc.train.history": "History",
        "graphc.train.store": "load",
    }.items()
    for name in names.split()
}
_MODULES = ("nn", "optim", "datasets", "plot", "train")

# What a notebook shows of a class, and the module of the functions that show it; the class knows nothing of them.
_SHOWN: dict[tuple[str, str], tuple[str, dict[str, str]]] = {
    ("graphc.ir.node", "Node"): (
        "graphc.render.notebook",
        {"_repr_html_": "node_html", "_repr_latex_": "node_latex", "_repr_svg_": "node_svg"},
    ),
    ("graphc.ir.graph", "Graph"): (
        "graphc.render.notebook",
        {"_repr_html_": "graph_html", "_repr_latex_": "graph_latex", "_repr_svg_": "graph_svg"},
    ),
    ("graphc.runtime.program", "Program"): (
        "graphc.render.notebook",
        {"_repr_html_": "program_html", "_repr_latex_": "program_latex", "_repr_svg_": "program_svg"},
    ),
    ("graphc.train.model", "Model"): (
        "graphc.train.notebook",
        {"_repr_html_": "model_html", "_repr_svg_": "model_svg"},
    ),
    ("graphc.train.history", "History"): (
        "graphc.train.notebook",
        {"_repr_html_": "history_html", "_repr_latex_": "history_latex", "_repr_svg_": "history_svg"},
    ),
}

__all__ = [*_WHERE, *_MODULES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("graphc")
    if name in _MODULES:
        module = importlib.import_module(f"graphc.{name}")
        _bind_reprs()
        return module
    if name not in _WHERE:
        raise AttributeError(f"module 'graphc' has no attribute {name!r}")
    import graphc.ops  # binds the operators of nodes  # noqa: F401

    value = getattr(importlib.import_module(_WHERE[name]), name)
    globals()[name] = value
    _bind_reprs()
    return value


def _bind_reprs() -> None:
    """Bind what is shown to the classes that are loaded by now; what shows it is loaded when a notebook asks."""
    for (module, name), (where, functions) in _SHOWN.items():
        owner = getattr(sys.modules.get(module), name, None)
        if owner is not None and "_repr_html_" not in vars(owner):
            for method, function in functions.items():
                setattr(owner, method, _shown_by(where, function))


def _shown_by(module: str, function: str) -> Any:
    def shown(what: Any) -> str | None:
        found: str | None = getattr(importlib.import_module(module), function)(what)
        return found

    return shown


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
