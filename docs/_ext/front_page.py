"""``.. drawn:: ALT``: lines of Python that run when the documentation is built, beside the figure that they draw.

They run in a folder of their own, so that the files they write are left nowhere; when they change, the
figure is drawn anew.
"""

import contextlib
import hashlib
import tempfile
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


def draw(code, path):
    """Run the lines, and save the figure that is open after them."""
    from matplotlib import pyplot

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        exec(compile(code, "the lines of the front page", "exec"), {})
    path.parent.mkdir(exist_ok=True)
    pyplot.gcf().savefig(path, dpi=160, bbox_inches="tight")
    pyplot.close("all")


class Drawn(SphinxDirective):
    """The lines and their figure, side by side where the screen is wide enough."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        """A container of both."""
        code = "\n".join(self.content)
        name = f"_build/drawn-{hashlib.sha256(code.encode()).hexdigest()[:12]}.png"
        path = Path(self.env.srcdir) / name
        if not path.exists():
            draw(code, path)
        block = nodes.literal_block(code, code, language="python")
        image = nodes.image(uri=f"/{name}", alt=self.arguments[0])
        return [nodes.container("", block, image, classes=["drawn"])]


def setup(app):
    """Register the directive."""
    app.add_directive("drawn", Drawn)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
