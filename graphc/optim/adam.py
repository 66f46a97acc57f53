"""Adam and its kin: means of the gradient and of its square, corrected for their start at zero."""

from __future__ import annotations

from typing import Any

from graphc.optim.bounds import flag
from graphc.optim.link import Link, lines_of
from graphc.optim.optimizer import Optimizer, made
from graphc.optim.schedule import Schedule
from graphc.optim.settings import Number, fraction, not_negative, one_of

MEANS = """
    m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2"""
CORRECTED = """
    m_hat = m/(1 - beta1**t)
    v_hat = v/(1 - beta2**t)"""
DECOUPLED = "theta = theta - lr*w*theta"
SYMBOLS = {"weight_decay": "w", "momentum_decay": "psi"}
"""What the lines call a setting."""

BOTH = (("m", 0.0), ("v", 0.0))


def adam(
    lr: Number = 1e-3,
    beta1: Number = 0.9,
    beta2: Number = 0.999,
    eps: float = 1e-8,
    eps_on: str = "corrected",
    amsgrad: bool = False,
    bias_correction: bool = True,
) -> Optimizer:
    """Adam: m ← β₁ m + (1-β₁) g; v ← β₂ v + (1-β₂) g²; θ ← θ - λ m̂ / (√v̂ + ε).

    m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) are corrected for the start at zero, t counts from 1, ε stands outside
    the root.

    Args:
        lr: the rate λ.
        beta1: decay of the mean of the gradient.
        beta2: decay of the mean of its square.
        eps: ε.
        eps_on: ``corrected``: ε is added to √v̂, as in algorithm 1 of the paper and in PyTorch; ``raw``: to √v, as in
            the paper's remark on efficiency and in scikit-learn: λ √(1-β₂ᵗ)/(1-β₁ᵗ) m / (√v + ε).
        amsgrad: the greatest v so far stands in the place of v: v_max ← max(v_max, v).
        bias_correction: False leaves the corrections out: θ ← θ - λ m / (√v + ε).

    Raises:
        ArgumentError: a decay outside of [0, 1), a negative ε or rate, or an unknown place of ε.

    Example:
        >>> for line in adam().equation.split("; "):
        ...     print(line)
        m ← β₁ m + (1 - β₁) g
        v ← β₂ v + (1 - β₂) g²
        m̂ = m / (1 - β₁ᵗ)
        v̂ = v / (1 - β₂ᵗ)
        θ ← θ - λ m̂ / (√v̂ + ε)

    Source: Kingma and Ba 2015, algorithm 1 and section 2; Reddi et al. 2018 for AMSGrad.
    """
    choices = {"eps_on": eps_on, "amsgrad": amsgrad, "bias_correction": bias_correction}
    settings = _settings(lr, beta1, beta2, eps, **choices)
    return made("adam", [_adam("adam", settings)], settings)


def adamw(
    lr: Number = 1e-3,
    beta1: Number = 0.9,
    beta2: Number = 0.999,
    eps: float = 1e-8,
    weight_decay: Number = 0.01,
    eps_on: str = "corrected",
    amsgrad: bool = False,
) -> Optimizer:
    """Adam with decoupled weight decay: θ ← θ - λ w θ, then Adam's step.

    Args:
        lr: the rate λ; it scales the decay too.
        beta1: decay of the mean of the gradient.
        beta2: decay of the mean of its square.
        eps: ε.
        weight_decay: w.
        eps_on: as of ``adam``.
        amsgrad: as of ``adam``.

    Example:
        >>> import graphc as gx
        >>> for line in gx.optim.adamw().equation.split("; "):
        ...     print(line)
        θ ← θ - λ w θ
        m ← β₁ m + (1 - β₁) g
        v ← β₂ v + (1 - β₂) g²
        m̂ = m / (1 - β₁ᵗ)
        v̂ = v / (1 - β₂ᵗ)
        θ ← θ - λ m̂ / (√v̂ + ε)

    Source: Loshchilov and Hutter 2019, algorithm 2, with the rate on the decay, as PyTorch's.
    """
    settings = _settings(lr, beta1, beta2, eps, weight_decay=weight_decay, eps_on=eps_on, amsgrad=amsgrad)
    return made("adamw", [_adam("adamw", settings, DECOUPLED)], settings)


def adamax(lr: Number = 2e-3, beta1: Number = 0.9, beta2: Number = 0.999, eps: float = 1e-8) -> Optimizer:
    """Adamax: m ← β₁ m + (1-β₁) g; v ← max(β₂ v, |g| + ε); θ ← θ - λ / (1-β₁ᵗ) m / v.

    Args:
        lr: the rate λ.
        beta1: decay of the mean of the gradient.
        beta2: decay of its greatest magnitude.
        eps: ε, inside of the maximum, as PyTorch's.

    Example:
        >>> import graphc as gx
        >>> gx.optim.adamax().equation
        'm ← β₁ m + (1 - β₁) g; v ← max(β₂ v, |g| + ε); θ ← θ - λ / (1 - β₁ᵗ) m / v'

    Source: Kingma and Ba 2015, algorithm 2.
    """
    settings = _settings(lr, beta1, beta2, eps)
    text = """
        m = beta1*m + (1 - beta1)*g
        v = maximum(beta2*v, abs(g) + eps)
        theta = theta - lr/(1 - beta1**t)*m/v"""
    return made("adamax", [_link("adamax", text, BOTH, settings)], settings)


def nadam(
    lr: Number = 2e-3,
    beta1: Number = 0.9,
    beta2: Number = 0.999,
    eps: float = 1e-8,
    momentum_decay: Number = 4e-3,
    weight_decay: Number = 0.0,
) -> Optimizer:
    """Adam that looks ahead: θ ← θ - λ ((1-μ) / (1-Πμ) g + μ' / (1-Πμ μ') m) / (√v̂ + ε).

    μ = β₁ (1 - ½ 0.96^(t ψ)), μ' is the one of the next step, and Πμ the product of all so far.

    Args:
        lr: the rate λ.
        beta1: decay of the mean of the gradient.
        beta2: decay of the mean of its square.
        eps: ε, outside of the root.
        momentum_decay: ψ.
        weight_decay: decoupled from the gradient.

    Example:
        >>> import graphc as gx
        >>> for line in gx.optim.nadam().equation.split("; "):
        ...     print(line)
        μ = β₁ · (1 - 0.5 · 0.96^(t ψ))
        μ_ahead = β₁ · (1 - 0.5 · 0.96^((t + 1) ψ))
        μ_product ← μ_product μ
        m ← β₁ m + (1 - β₁) g
        v ← β₂ v + (1 - β₂) g²
        v̂ = v / (1 - β₂ᵗ)
        u = (1 - μ) / (1 - μ_product) g + μ_ahead / (1 - μ_product μ_ahead) m
        θ ← θ - λ u / (√v̂ + ε)

    Source: Dozat 2016; the schedule of μ is PyTorch's.
    """
    settings = _settings(lr, beta1, beta2, eps, momentum_decay=momentum_decay, weight_decay=weight_decay)
    text = f"""
        mu = beta1*(1 - 0.5*0.96**(t*psi))
        mu_ahead = beta1*(1 - 0.5*0.96**((t + 1)*psi))
        mu_product = mu_product*mu
        {DECOUPLED if weight_decay else ""}{MEANS}
        v_hat = v/(1 - beta2**t)
        u = (1 - mu)/(1 - mu_product)*g + mu_ahead/(1 - mu_product*mu_ahead)*m
        theta = theta - lr*u/(sqrt(v_hat) + eps)"""
    link = _link("nadam", text, BOTH, settings, shared=(("mu_product", 1.0),))
    return made("nadam", [link], settings)


def radam(lr: Number = 1e-3, beta1: Number = 0.9, beta2: Number = 0.999, eps: float = 1e-8) -> Optimizer:
    """Rectified Adam: θ ← θ - λ r √(1-β₂ᵗ) m̂ / (√v + ε) where ρ > 5, else θ ← θ - λ m̂.

    ρ∞ = 2/(1-β₂) - 1, ρ = ρ∞ - 2 t β₂ᵗ / (1-β₂ᵗ), r² = (ρ-4)(ρ-2) ρ∞ / ((ρ∞-4)(ρ∞-2) ρ).

    Args:
        lr: the rate λ.
        beta1: decay of the mean of the gradient.
        beta2: decay of the mean of its square.
        eps: ε, beside the root before its correction, as PyTorch's.

    Example:
        >>> import graphc as gx
        >>> for line in gx.optim.radam().equation.split("; "):
        ...     print(line)
        m ← β₁ m + (1 - β₁) g
        v ← β₂ v + (1 - β₂) g²
        m̂ = m / (1 - β₁ᵗ)
        ρ_inf = 2 / (1 - β₂) - 1
        ρ = ρ_inf - 2 t β₂ᵗ / (1 - β₂ᵗ)
        r = √max((ρ - 4) (ρ - 2) ρ_inf / ((ρ_inf - 4) (ρ_inf - 2) ρ), 0)
        u = (r √(1 - β₂ᵗ) / (√v + ε) if ρ > 5 else 1)
        θ ← θ - λ m̂ u

    Source: Liu et al. 2020, algorithm 2.
    """
    settings = _settings(lr, beta1, beta2, eps)
    text = f"""{MEANS}
        m_hat = m/(1 - beta1**t)
        rho_inf = 2/(1 - beta2) - 1
        rho = rho_inf - 2*t*beta2**t/(1 - beta2**t)
        r = sqrt(maximum((rho - 4)*(rho - 2)*rho_inf/((rho_inf - 4)*(rho_inf - 2)*rho), 0))
        u = where(rho > 5, r*sqrt(1 - beta2**t)/(sqrt(v) + eps), 1)
        theta = theta - lr*m_hat*u"""
    return made("radam", [_link("radam", text, BOTH, settings)], settings)


def adabelief(
    lr: Number = 1e-3, beta1: Number = 0.9, beta2: Number = 0.999, eps: float = 1e-16, eps_root: float = 1e-16
) -> Optimizer:
    """AdaBelief: v ← β₂ v + (1-β₂) (g - m)² + ε'; θ ← θ - λ m̂ / (√v̂ + ε): how far the gradient is from its mean.

    Args:
        lr: the rate λ.
        beta1: decay of the mean of the gradient.
        beta2: decay of the mean of the squared distance.
        eps: ε, outside of the root.
        eps_root: ε', added to v at every step.

    Example:
        >>> import graphc as gx
        >>> for line in gx.optim.adabelief().equation.split("; "):
        ...     print(line)
        m ← β₁ m + (1 - β₁) g
        v ← β₂ v + (1 - β₂) (g - m)² + ε_root
        m̂ = m / (1 - β₁ᵗ)
        v̂ = v / (1 - β₂ᵗ)
        θ ← θ - λ m̂ / (√v̂ + ε)

    Source: Zhuang et al. 2020, algorithm 2; both ε as Optax's.
    """
    settings = _settings(lr, beta1, beta2, eps, eps_root=eps_root)
    text = f"""
        m = beta1*m + (1 - beta1)*g
        v = beta2*v + (1 - beta2)*(g - m)**2 + eps_root{CORRECTED}
        theta = theta - lr*m_hat/(sqrt(v_hat) + eps)"""
    return made("adabelief", [_link("adabelief", text, BOTH, settings)], settings)


def yogi(
    lr: Number = 1e-2, beta1: Number = 0.9, beta2: Number = 0.999, eps: float = 1e-3, start: float = 1e-6
) -> Optimizer:
    """Yogi: v ← v - (1-β₂) sign(v - g²) g²; θ ← θ - λ m̂ / (√v̂ + ε): v moves by what it is off, not by its size.

    Args:
        lr: the rate λ.
        beta1: decay of the mean of the gradient.
        beta2: decay of the mean of its square.
        eps: ε, outside of the root.
        start: what m and v start from.

    Example:
        >>> import graphc as gx
        >>> for line in gx.optim.yogi().equation.split("; "):
        ...     print(line)
        m ← β₁ m + (1 - β₁) g
        v ← v - (1 - β₂) sign(v - g²) g²
        m̂ = m / (1 - β₁ᵗ)
        v̂ = v / (1 - β₂ᵗ)
        θ ← θ - λ m̂ / (√v̂ + ε)

    Source: Zaheer et al. 2018, algorithm 2, corrected for the start, as Optax's.
    """
    settings = _settings(lr, beta1, beta2, eps, start=start)
    text = f"""
        m = beta1*m + (1 - beta1)*g
        v = v - (1 - beta2)*sign(v - g**2)*g**2{CORRECTED}
        theta = theta - lr*m_hat/(sqrt(v_hat) + eps)"""
    return made("yogi", [_link("yogi", text, (("m", start), ("v", start)), settings)], settings)


def lamb(
    lr: Number = 1e-3,
    beta1: Number = 0.9,
    beta2: Number = 0.999,
    eps: float = 1e-6,
    weight_decay: Number = 0.0,
) -> Optimizer:
    """LAMB: u = m̂ / (√v̂ + ε) + w θ; θ ← θ - λ (|θ| / |u|) u, with norms over one parameter; 1 where one is 0.

    Args:
        lr: the rate λ.
        beta1: decay of the mean of the gradient.
        beta2: decay of the mean of its square.
        eps: ε, outside of the root.
        weight_decay: w.

    Example:
        >>> import graphc as gx
        >>> for line in gx.optim.lamb().equation.split("; "):
        ...     print(line)
        m ← β₁ m + (1 - β₁) g
        v ← β₂ v + (1 - β₂) g²
        m̂ = m / (1 - β₁ᵗ)
        v̂ = v / (1 - β₂ᵗ)
        u = m̂ / (√v̂ + ε)
        length = ‖θ‖
        reach = ‖u‖
        trust = (length / (reach if reach > 0 else 1) if length reach > 0 else 1)
        θ ← θ - λ trust u

    Source: You et al. 2020, algorithm 2.
    """
    settings = _settings(lr, beta1, beta2, eps, weight_decay=weight_decay)
    text = f"""{MEANS}{CORRECTED}
        u = m_hat/(sqrt(v_hat) + eps){" + w*theta" if weight_decay else ""}
        length = norm(theta)
        reach = norm(u)
        trust = where(length*reach > 0, length/where(reach > 0, reach, 1), 1)
        theta = theta - lr*trust*u"""
    return made("lamb", [_link("lamb", text, BOTH, settings)], settings)


# -- shared -------------------------------------------------------------------------------------------------------


def _settings(lr: Any, beta1: Any, beta2: Any, eps: Any, **more: Any) -> dict[str, Any]:
    """All settings of one of Adam's kin, checked."""
    fraction(beta1=beta1, beta2=beta2)
    names = ("weight_decay", "momentum_decay", "eps_root", "start")
    not_negative(eps=eps, **{name: more[name] for name in names if name in more})
    for name in more.keys() & {"amsgrad", "bias_correction"}:
        flag(name, more[name])
    one_of("place of eps", more.get("eps_on", "raw"), ("corrected", "raw"))
    return {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps, **more}


def _link(name: str, text: str, slots: Any, settings: dict[str, Any], **more: Any) -> Link:
    kinds = float | int | Schedule
    constants = {k: v for k, v in settings.items() if isinstance(v, kinds) and not isinstance(v, bool)}
    constants.pop("lr", None)  # no number: `made` refuses it
    constants = {SYMBOLS.get(name, name): value for name, value in constants.items()}
    return Link(name, lines_of(text), slots, settings=tuple(constants.items()), **more)


def _adam(name: str, settings: dict[str, Any], before: str = "") -> Link:
    """Adam's lines: with v or the greatest v so far, and ε beside the corrected root or the raw one."""
    v = "v_max" if settings["amsgrad"] else "v"
    greatest = "v_max = maximum(v_max, v)" if settings["amsgrad"] else ""
    steps = {
        "corrected": f"""
            m_hat = m/(1 - beta1**t)
            v_hat = {v}/(1 - beta2**t)
            theta = theta - lr*m_hat/(sqrt(v_hat) + eps)""",
        "raw": f"theta = theta - lr*(sqrt(1 - beta2**t)/(1 - beta1**t)*(m/(sqrt({v}) + eps)))",
        "none": f"theta = theta - lr*m/(sqrt({v}) + eps)",
    }
    step = steps[settings["eps_on"] if settings.get("bias_correction", True) else "none"]
    text = f"{before}{MEANS}\n{greatest}\n{step}"
    return _link(name, text, (*BOTH, *([("v_max", 0.0)] if greatest else [])), settings)
