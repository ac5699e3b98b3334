"""A drawing surface of text: eight dots to a character in Braille, or one letter where that cannot be written.

Dots count from the left and from the top. Each character has the colour of what was drawn there last.
"""

from __future__ import annotations

from typing import Final

_BRAILLE: Final = 0x2800
_BITS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


class Canvas:
    """Lines in characters.

    Args:
        columns: characters in a row.
        rows: rows of characters.
        braille: whether the output can show it.
    """

    def __init__(self, columns: int, rows: int, *, braille: bool = True) -> None:
        self.columns = columns
        self.rows = rows
        self.braille = braille
        self.width = columns * 2 if braille else columns
        self.height = rows * 4 if braille else rows
        self._bits = [[0] * columns for _ in range(rows)]
        self._owners = [[-1] * columns for _ in range(rows)]

    def dot(self, x: int, y: int, owner: int) -> None:
        """Draw a dot; outside there is nothing to draw on."""
        if not (0 <= x < self.width and 0 <= y < self.height):
            return
        column, row = (x // 2, y // 4) if self.braille else (x, y)
        self._bits[row][column] |= _BITS[y % 4][x % 2] if self.braille else 1
        self._owners[row][column] = owner

    def line(self, x0: int, y0: int, x1: int, y1: int, owner: int) -> None:
        """Draw a straight line, both ends included (Bresenham's algorithm)."""
        step_x, step_y = (1 if x0 < x1 else -1), (1 if y0 < y1 else -1)
        wide, high = abs(x1 - x0), abs(y1 - y0)
        error = wide - high
        while True:
            self.dot(x0, y0, owner)
            if (x0, y0) == (x1, y1):
                return
            double = 2 * error
            if double > -high:
                error -= high
                x0 += step_x
            if double < wide:
                error += wide
                y0 += step_y

    def row(self, number: int) -> list[tuple[str, int]]:
        """A row as pieces of text and their owners; -1 where there is nothing."""
        pieces: list[tuple[str, int]] = []
        for bits, owner in zip(self._bits[number], self._owners[number], strict=True):
            char = self._char(bits, owner)
            if pieces and pieces[-1][1] == owner:
                pieces[-1] = (pieces[-1][0] + char, owner)
            else:
                pieces.append((char, owner))
        return pieces

    def _char(self, bits: int, owner: int) -> str:
        if not bits:
            return " "
        return chr(_BRAILLE | bits) if self.braille else chr(ord("a") + owner % 26)
