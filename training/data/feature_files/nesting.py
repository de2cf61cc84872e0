"""How deep the values of a pickle lie in one another, told before any of them is made.

Python finds the hash of a tuple by calling itself for every tuple in it, in C and without a limit:
a tuple nested some 100,000 deep, which takes as many bytes, ends the program where it is a key.
"""

from __future__ import annotations

from pickletools import OpcodeInfo, markobject, pydict, pylist, pyset, stackslice

DEEPEST = 100
"""Levels; an array takes about five, and the published files put it three containers deep."""

_MARK: list[int] = []
_GETS = frozenset({"GET", "BINGET", "LONG_BINGET"})
_PUTS = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_GROWS = frozenset({"APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD"})
"""Put values into one that is there, which may be referred to from elsewhere."""
_CONTAINERS = (pylist, pydict, pyset)


class Nesting:
    """Follows the stack of a pickle's machine, with the depth of each value in its place.

    Whatever is made of values counts as one deeper than the deepest of them; what grows by values
    is as deep as they are, for lists have no hash. So the depth of tuples may be told too large but
    never too small. Depths are lists of one number: a container is one value however often it is
    referred to.
    """

    def __init__(self) -> None:
        self._stack: list[list[int]] = []
        self._memo: dict[int, list[int]] = {}
        self._flat = [0]

    def follow(self, operation: OpcodeInfo, argument: object) -> None:
        """Take the next operation. Raises ValueError where it nests too deep or finds no value."""
        name = operation.name
        if name in _GETS:
            self._stack.append(self._memo[_number(argument)])
        elif name in _PUTS:
            self._memo[_number(argument)] = self._top()
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = self._top()
        elif name == "DUP":
            self._stack.append(self._top())
        elif name == "POP":
            self._taken(1, marks=True)
        else:
            self._run(operation)

    def _run(self, operation: OpcodeInfo) -> None:
        before, after = operation.stack_before, operation.stack_after
        if after == [markobject]:
            self._stack.append(_MARK)
            return
        taken = self._slice() if stackslice in before else []
        alone = sum(each not in (markobject, stackslice) for each in before)
        taken = self._taken(alone) + taken
        if operation.name in _GROWS:
            own, *others = taken
            own[0] = max(own[0], *(each[0] for each in others), 0)
            self._stack.append(own)
        elif before:
            self._stack.extend([_around(taken)] for _ in after)
        else:
            self._stack.extend([0] if each in _CONTAINERS else self._flat for each in after)

    def _top(self) -> list[int]:
        (top,) = self._taken(1)
        self._stack.append(top)
        return top

    def _taken(self, count: int, *, marks: bool = False) -> list[list[int]]:
        """Take so many values off the stack."""
        cut = len(self._stack) - count
        taken = self._stack[cut:] if cut >= 0 else []
        if len(taken) < count or (not marks and any(each is _MARK for each in taken)):
            raise ValueError("it takes values that are not there")
        del self._stack[cut:]
        return taken

    def _slice(self) -> list[list[int]]:
        """Take the values above the last mark, and the mark, off the stack."""
        place = len(self._stack) - 1
        while place >= 0 and self._stack[place] is not _MARK:
            place -= 1
        if place < 0:
            raise ValueError("it takes values that are not there")
        taken = self._stack[place + 1 :]
        del self._stack[place:]
        return taken


def _around(values: list[list[int]]) -> int:
    depth = 1 + max((each[0] for each in values), default=0)
    if depth > DEEPEST:
        raise ValueError(f"its values are nested more than {DEEPEST} deep")
    return depth


def _number(argument: object) -> int:
    if not isinstance(argument, int):
        raise ValueError("it refers to a value without its number")
    return argument
