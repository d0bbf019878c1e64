"""What transformers and TRL import in case somebody needs it, imported when somebody does.

Where they are installed, peft, which imports bitsandbytes, scikit-learn and scipy's optimizer are imported for an
`isinstance` check or two and for losses of object detection: more than half of the CPU time before the first step of
`real train-dpo`, and bitsandbytes complains on standard error.

Within `deferred_imports` an import statement of those libraries, and of no others, gets stand-ins for the names of the
modules in DEFERRED. A stand-in is a class without a body: nothing is an instance of it while its module is not loaded,
and what is called, or asked for anything else, is the thing itself, loaded at that moment. So nothing is hidden: who
needs peft imports peft, and `isinstance(model, PeftModel)` within transformers is right from then on.
"""

import builtins
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

# Who gets stand-ins; everybody else gets what he asks for.
IMPORTERS = ("transformers.", "trl.", "accelerate.", "sentence_transformers.")
# For what; a module that is loaded already is given as it is.
DEFERRED = ("peft", "bitsandbytes", "sklearn", "scipy.optimize")


class DeferredType(type):
    """The type of stand-ins: each knows the module and the name that it stands for."""

    module: str
    target: str

    def resolve(cls) -> Any:
        """Load what it stands for."""
        return getattr(import_module(cls.module), cls.target)

    def __instancecheck__(cls, instance: object) -> bool:
        return cls.module in sys.modules and isinstance(instance, cls.resolve())

    def __subclasscheck__(cls, subclass: type) -> bool:
        if cls.module not in sys.modules:
            return super().__subclasscheck__(subclass)
        return issubclass(subclass, cls.resolve())

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Call what it stands for."""
        return cls.resolve()(*args, **kwargs)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):  # what Python asks of a class itself
            raise AttributeError(name)
        return getattr(cls.resolve(), name)


class DeferredModule(ModuleType):
    """A module of stand-ins."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            return getattr(import_module(self.__name__), name)
        return DeferredType(name, (), {"module": self.__name__, "target": name})


@contextmanager
def deferred_imports() -> Iterator[None]:
    """Give stand-ins to the libraries that import what nobody may need."""
    real_import = builtins.__import__
    builtins.__import__ = _importing(real_import)
    try:
        yield
    finally:
        builtins.__import__ = real_import


def _importing(real_import: Callable[..., Any]) -> Callable[..., Any]:
    def import_or_defer(
        name: str, globals: Any = None, locals: Any = None, fromlist: Sequence[str] = (), level: int = 0
    ) -> Any:
        if not level and is_deferred(name) and name not in sys.modules:
            importer = str((globals or {}).get("__name__"))
            # `import a.b` binds a, which is no stand-in.
            if importer.startswith(IMPORTERS) and (fromlist or "." not in name):
                return DeferredModule(name)
        return real_import(name, globals, locals, fromlist, level)

    return import_or_defer


def is_deferred(name: str) -> bool:
    """Tell whether a module, or a package around it, is in the table.

    >>> is_deferred("peft.tuners.lora"), is_deferred("scipy.stats")
    (True, False)
    """
    return any(name == known or name.startswith(f"{known}.") for known in DEFERRED)
