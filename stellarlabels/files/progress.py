"""The slices in which a table is written, with a progress bar for large ones."""

from stellarlabels.files.content import BLOCK

#: Rows that are turned into text at a time: text takes far more memory than numbers.
TEXT = BLOCK // 10

#: Rows from which on a progress bar is worth while.
_MANY = 2_000_000


def slices(rows, *, step=BLOCK, title="writing"):
    """Slices of so many of all rows, one after the other; a bar with that title from two million rows on."""
    from tqdm.auto import tqdm

    with tqdm(total=rows, desc=title, unit="row", unit_scale=True, disable=rows < _MANY) as bar:
        for first in range(0, rows, step):
            part = slice(first, min(first + step, rows))
            yield part
            bar.update(part.stop - first)
