r"""Formulas as LaTeX. Names of the user's are escaped: nothing of theirs is ever a command."""

from __future__ import annotations

from graphc.render.maths import Math
from graphc.render.notation import ACCENTS

_SIGNS = {
    "−": "-", "⊙": r"\odot", "⊗": r"\otimes", "·": r"\cdot", "×": r"\times", "≤": r"\leq", "≥": r"\geq", "≠": r"\neq",
    "∧": r"\wedge", "∨": r"\vee", "⊤": r"\top", "…": r"\ldots", "¬": r"\neg", "∞": r"\infty", "mod": r"\bmod",
    "∂": r"\partial", "′": r"\prime", "″": r"\prime\prime", "#": r"\#", "%": r"\%", "&": r"\&", "_": r"\_",
    "$": r"\$", "~": r"\sim", "\\": r"\backslash", "{": r"\{", "}": r"\}", "^": r"\wedge", "→": r"\to",
}  # fmt: skip
_FENCES = {
    "(": "(", ")": ")", "[": "[", "]": "]", "{": r"\{", "}": r"\}", "|": "|", "‖": r"\|",
    "⌊": r"\lfloor", "⌋": r"\rfloor", "⌈": r"\lceil", "⌉": r"\rceil",
}  # fmt: skip
_FUNCTIONS = frozenset(
    (
        "sin",
        "cos",
        "tan",
        "sinh",
        "cosh",
        "tanh",
        "arcsin",
        "arccos",
        "arctan",
        "exp",
        "log",
        "max",
        "min",
        "det",
    )
)
_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\^{}", "~": r"\~{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "−": "-",
    "∂": r"$\partial$", "′": "'", "×": r"$\times$", "·": r"$\cdot$", "→": r"$\to$", '"': "''", "…": r"\ldots{}",
    "⊙": r"$\odot$", "⊗": r"$\otimes$", "∈": r"$\in$", "²": "\\textsuperscript{2}",
}  # fmt: skip


_ACCENTS = {mark: f"\\{word}" for word, mark in ACCENTS.items()}


def escaped(text: str) -> str:
    r"""Text between formulas.

    Example:
        >>> escaped("a_b & 50%")
        'a\\_b \\& 50\\%'
    """
    return "".join(_ESCAPES.get(c) or _letter(c, "${}$") for c in text)


def latex(formula: Math) -> str:
    r"""The LaTeX of a formula, for mathematics mode.

    Example:
        >>> from graphc.render.maths import equals, named, partial
        >>> latex(equals(partial(named("L"), named("W₁")), named("a_b")))
        '\\frac{\\partial L}{\\partial W_{1}} = \\text{a\\_b}'
    """
    return str(_WRITERS[formula.kind](formula))


def _letter(character: str, frame: str = "{}") -> str:
    """A Greek letter by its name; any other character as it is."""
    import unicodedata

    name = unicodedata.name(character, "")
    if not name.startswith("GREEK ") or len(name.split()) != 4:
        return character
    _, case, _, letter = name.split()
    word = letter.lower().replace("lamda", "lambda").replace("omicron", "o")
    same_as_latin = case == "CAPITAL" and word not in (
        ["gamma", "delta", "theta", "lambda", "xi", "pi", "sigma", "upsilon", "phi", "psi", "omega"]
    )
    if word == "o" or same_as_latin:
        return frame.format(rf"\mathrm{{{word[0].upper() if case == 'CAPITAL' else word}}}")
    return frame.format("\\" + (word.capitalize() if case == "CAPITAL" else word))


def _row(formula: Math) -> str:
    out = ""
    for part in formula.parts:
        text = latex(part)
        tight = part.kind in ("comma",) or not out or out.endswith(("(", " "))
        out += text if tight else f" {text}"
    return out


def _upright(formula: Math) -> str:
    plain = formula.text.isascii() and formula.text.isalnum()
    return rf"\mathrm{{{formula.text}}}" if plain else rf"\text{{{escaped(formula.text)}}}"


def _word(formula: Math) -> str:
    if formula.text in _FUNCTIONS:
        return f"\\{formula.text}"
    return rf"\operatorname{{{escaped(formula.text)}}}"


def _big(formula: Math) -> str:
    return rf"\sum_{{{latex(formula.parts[0])}}}" if formula.parts else r"\sum"


def _fence(formula: Math) -> str:
    left, right = (_FENCES[c] for c in formula.text)
    return rf"\left{left} {latex(formula.parts[0])} \right{right}".replace("\\left( ", "\\left(")


def _cases(formula: Math) -> str:
    cells = [latex(p) for p in formula.parts]
    lines = r" \\ ".join(
        f"{value} & {condition}" for value, condition in zip(cells[::2], cells[1::2], strict=True)
    )
    return rf"\begin{{cases}} {lines} \end{{cases}}"


_WRITERS = {
    "row": _row,
    "name": lambda m: _letter(m.text),
    "upright": _upright,
    "word": _word,
    "number": lambda m: m.text.replace("−", "-"),
    "op": lambda m: _SIGNS.get(m.text, m.text),
    "prefix": lambda m: _SIGNS.get(m.text, m.text),
    "bracket": lambda m: _FENCES[m.text],
    "text": lambda m: rf"\text{{{escaped(m.text)}}}",
    "comma": lambda m: ",",
    "space": lambda m: r"\,",
    "quad": lambda m: r"\quad",
    "big": _big,
    "fence": _fence,
    "power": lambda m: f"{latex(m.parts[0])}^{{{latex(m.parts[1])}}}",
    "index": lambda m: f"{latex(m.parts[0])}_{{{latex(m.parts[1])}}}",
    "fraction": lambda m: rf"\frac{{{latex(m.parts[0])}}}{{{latex(m.parts[1])}}}",
    "accent": lambda m: f"{_ACCENTS[m.text]}{{{latex(m.parts[0])}}}",
    "root": lambda m: rf"\sqrt{{{latex(m.parts[0])}}}",
    "cases": _cases,
}
