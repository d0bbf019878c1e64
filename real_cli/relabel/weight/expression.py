"""Arithmetic over the number fields of a record, parsed into functions once; nothing in the text is executed."""

import ast
import math
import operator
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from real_cli.errors import RecordError, UsageError, clip, suggest
from real_cli.records.messages import is_number
from real_cli.records.record import Record

Term: TypeAlias = Callable[[Record], float]

# Ours: simpleeval and asteval walk the tree anew for every record; this is parsed once, into functions.
MAX_LENGTH = 1000
# Beyond this a power of anything is 0, 1 or no longer a float that weighs something.
MAX_EXPONENT = 64
RULES = (
    "numbers, fields (a.b, a['b']), + - * / % **, comparisons, and abs, min, max, sqrt, log, exp, sigmoid, tanh, "
    "clip(x, lo, hi) are allowed"
)


class Function(NamedTuple):
    """A function that an expression may call, and how many arguments it takes."""

    of: Callable[..., float]
    fewest: int = 1
    most: float = 1


def _power(base: float, exponent: float) -> float:
    if abs(exponent) > MAX_EXPONENT:
        raise ValueError(f"exponent {exponent:g} is beyond {MAX_EXPONENT}")
    return math.pow(base, exponent)


def _sigmoid(value: float) -> float:
    small = math.exp(-abs(value))
    return (1.0 if value >= 0 else small) / (1.0 + small)


def _clip(value: float, low: float, high: float) -> float:
    if low > high:
        raise ValueError(f"clip from {low:g} to {high:g} is empty")
    return min(max(value, low), high)


OPERATORS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
SIGNS: dict[type[ast.AST], Callable[[float], float]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
COMPARISONS: dict[type[ast.AST], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
FUNCTIONS = {
    "abs": Function(abs),
    "min": Function(min, 2, math.inf),
    "max": Function(max, 2, math.inf),
    "sqrt": Function(math.sqrt),
    "log": Function(math.log),
    "exp": Function(math.exp),
    "sigmoid": Function(_sigmoid),
    "tanh": Function(math.tanh),
    "clip": Function(_clip, 3, 3),
}


class Expression:
    """A parsed expression: takes a record, gives a number.

    Making one raises UsageError if the text is no expression, or holds anything that is not on the list of what is
    allowed.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.fields: set[str] = set()
        if len(text) > MAX_LENGTH:
            raise UsageError(f"--expression {clip(text)}: has {len(text)} characters; {MAX_LENGTH} are allowed")
        try:
            with warnings.catch_warnings(action="ignore"):  # about syntax that Python may refuse some day
                tree = ast.parse(text.strip(), mode="eval")
            self._compute = self._term(tree.body)
        except (SyntaxError, ValueError):
            raise UsageError(f"--expression {clip(text)}: is not arithmetic; {RULES}") from None
        except (RecursionError, MemoryError):
            raise UsageError(f"--expression {clip(text)}: nests too deep; write it with fewer brackets") from None

    def __call__(self, record: Record) -> float:
        """Compute the number of one record.

        >>> Expression("clip(score_chosen - score_rejected, 0, 5) * meta.votes")(
        ...     {"score_chosen": 9, "score_rejected": 1, "meta": {"votes": 3}})
        15.0
        """
        try:
            value = float(self._compute(record))
        except (ArithmeticError, ValueError) as error:
            raise RecordError(f"--expression {clip(self._text)} has no value here: {error}") from None
        if not math.isfinite(value):
            raise RecordError(f"--expression {clip(self._text)} is {value} here; a finite number is needed")
        return value

    def _term(self, node: ast.AST) -> Term:
        make = TERMS.get(type(node))
        if make is None:
            raise self._refused(node)
        return make(self, node)

    def _refused(self, node: ast.AST, wrong: str = "is not allowed") -> UsageError:
        return UsageError(f"--expression: {clip(ast.unparse(node))} {wrong}; {RULES}")

    def _constant(self, node: ast.Constant) -> Term:
        if not is_number(node.value):
            raise self._refused(node)
        try:
            number = float(node.value)  # type: ignore[arg-type]
        except OverflowError:
            raise self._refused(node, "is beyond all floats") from None
        return lambda record: number

    def _field(self, node: ast.AST) -> Term:
        path = self._path(node)
        return lambda record: _read(record, path)

    def _path(self, node: ast.AST) -> list[str]:
        if isinstance(node, ast.Name):
            self.fields.add(node.id)
            return [node.id]
        if isinstance(node, ast.Attribute):
            return [*self._path(node.value), node.attr]
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and type(node.slice.value) is str:
            return [*self._path(node.value), node.slice.value]
        raise self._refused(node)

    def _operation(self, node: ast.BinOp) -> Term:
        apply = OPERATORS.get(type(node.op))
        if apply is None:
            raise self._refused(node)
        left, right = self._term(node.left), self._term(node.right)
        return lambda record: apply(left(record), right(record))

    def _sign(self, node: ast.UnaryOp) -> Term:
        apply = SIGNS.get(type(node.op))
        if apply is None:
            raise self._refused(node)
        operand = self._term(node.operand)
        return lambda record: apply(operand(record))

    def _comparison(self, node: ast.Compare) -> Term:
        compare = COMPARISONS.get(type(node.ops[0]))
        if compare is None or len(node.ops) > 1:
            raise self._refused(node)
        left, right = self._term(node.left), self._term(node.comparators[0])
        return lambda record: float(compare(left(record), right(record)))

    def _call(self, node: ast.Call) -> Term:
        function = FUNCTIONS.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if function is None or node.keywords:
            raise self._refused(node)
        arguments = [self._term(argument) for argument in node.args]
        if not function.fewest <= len(arguments) <= function.most:
            wanted = function.fewest if function.fewest == function.most else f"at least {function.fewest}"
            raise self._refused(node, f"has {len(arguments)} arguments where {wanted} are needed")
        return lambda record: function.of(*(argument(record) for argument in arguments))


TERMS: dict[type[ast.AST], Callable[[Expression, Any], Term]] = {
    ast.Constant: Expression._constant,
    ast.Name: Expression._field,
    ast.Attribute: Expression._field,
    ast.Subscript: Expression._field,
    ast.BinOp: Expression._operation,
    ast.UnaryOp: Expression._sign,
    ast.Compare: Expression._comparison,
    ast.Call: Expression._call,
}


def _read(record: Record, path: list[str]) -> float:
    value: Any = record
    for number, field in enumerate(path, 1):
        if not isinstance(value, dict) or field not in value:
            right = suggest(field, value if isinstance(value, dict) else (), "--expression needs a number there")
            raise RecordError(f"field '{'.'.join(path[:number])}' is missing; {right}")
        value = value[field]
    if not is_number(value):
        raise RecordError(f"field '{'.'.join(path)}' is {clip(value)}; --expression needs a number there")
    return float(value)
