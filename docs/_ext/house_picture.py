"""The house in one picture, from the code: which part of the package uses which, and what each is for.

Run it to put the picture into CONTRIBUTING.rst anew; a test tells when that is due.
"""

import re
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import house  # noqa: E402

#: What the picture stands between in CONTRIBUTING.rst.
BEGIN, END = ".. begin picture\n", ".. end picture\n"


def purpose(module, width=70):
    """What a module is for: the beginning of its docstring, up to a comma or stop before ``width`` letters."""
    text = " ".join(import_module(module).__doc__.split("\n\n")[0].split()).replace("`", "")
    text = re.sub(rf"^{module.rpartition('.')[2]}: ", "", text, flags=re.IGNORECASE)
    text = re.split(r"\. |; |\.$", text)[0]
    while len(text) > width and "," in text:
        text = text.rpartition(",")[0]
    return text


def picture():
    """Lines: a letter for each room in the order of the walk, the rooms that it imports, and what it is for."""
    rooms = [
        room for floor in house.WALK for room in floor if house.path_of(f"stellarlabels.{room}").stem == "__init__"
    ]
    rooms = [room for room in rooms if room not in house.OLD_NAMES]
    letters = {room: chr(ord("A") + number) for number, room in enumerate(rooms)}
    used = {room: set() for room in rooms}
    for module in house.MODULES:
        for base, name, _ in house.imports(module):
            if house.room_of(module) in used:
                used[house.room_of(module)].add(house.room_of(base if name is None else f"{base}.{name}"))
    for room in rooms:
        row = "".join(letters[other] if other in used[room] and other != room else "." for other in rooms)
        yield f"{letters[room]}  {room:12} {row[: rooms.index(room)]:{len(rooms)}} {purpose(f'stellarlabels.{room}')}"


def with_picture(text):
    """The text of CONTRIBUTING.rst with the picture of today."""
    head, _, rest = text.partition(BEGIN)
    lines = "".join(f"    {line}\n".replace(" \n", "\n") for line in picture())
    return f"{head}{BEGIN}\n::\n\n{lines}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    path = ROOT / "CONTRIBUTING.rst"
    path.write_text(with_picture(path.read_text(encoding="utf-8")), encoding="utf-8")
