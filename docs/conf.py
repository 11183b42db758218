"""Configuration of Sphinx."""

import sys
import zlib
from pathlib import Path

import matplotlib

import stellarlabels

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent / "tools")]
matplotlib.use("agg")

project = "stellarlabels"
author = "the stellarlabels developers"
copyright = f"2026, {author}"  # noqa: A001
version = release = stellarlabels.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinx_reredirects",
    "front_page",
    "generated",
    "catalog_pages",
    "command_line",
    "comparisons",
    "example_report",
    "long_runs",
    "paper_pages",
    "reliability",
    "precision",
    "reference",
    "adaptation",
    "where_labels_hold",
]
exclude_patterns = ["_build", "tutorials"]
default_role = "py:obj"
# References to this package must lead somewhere; those to other packages depend on the network.
nitpicky = True
nitpick_ignore_regex = [
    (r".*", r"(?!stellarlabels\.).*"),
    # Base classes that are inside; their methods are shown with the classes that are public.
    (r"py:class", r"stellarlabels\.(labels\.declaration\.Declaration|labels\.revision\.Revision)"),
    (r"py:class", r"stellarlabels\.columns\.star_table\.StarTable"),
    (r"py:class", r"stellarlabels\.(inputs\.xp\.bridge\.XPFeatureSet|archive\.tap\.service\.Client)"),
]

autodoc_default_options = {"show-inheritance": True}
autodoc_typehints = "none"
numpydoc_show_class_members = False


def _empty_inventory():
    """Stand-in for inventories that cannot be reached: the documentation builds without a network, with fewer links."""
    path = HERE / "_build" / "empty.inv"
    path.parent.mkdir(exist_ok=True)
    lines = ("# Sphinx inventory version 2", "# Project: none", "# Version: 0")
    head = "\n".join([*lines, "# The remainder of this file is compressed using zlib.", ""])
    path.write_bytes(head.encode() + zlib.compress(b""))
    return str(path)


intersphinx_timeout = 10
intersphinx_mapping = {
    name: (url, (None, _empty_inventory()))
    for name, url in {
        "python": "https://docs.python.org/3/",
        "numpy": "https://numpy.org/doc/stable/",
        "scipy": "https://docs.scipy.org/doc/scipy/",
        "astropy": "https://docs.astropy.org/en/stable/",
        "matplotlib": "https://matplotlib.org/stable/",
    }.items()
}

sphinx_gallery_conf = {
    "examples_dirs": "tutorials",
    "gallery_dirs": "gallery",
    "abort_on_example_error": True,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    "download_all_examples": False,
    "capture_repr": ("_repr_html_", "__repr__"),
    "within_subsection_order": "reading_order.key",
    "reset_modules": ("matplotlib",),
}

# The example report is written there when a build begins.
html_extra_path = ["_build/example"]
(HERE / "_build" / "example").mkdir(parents=True, exist_ok=True)

html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_js_files = ["toggles.js"]
html_theme = "pydata_sphinx_theme"
html_title = f"stellarlabels {release}"
html_show_sourcelink = False
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
}

#: Pages that have moved: their old addresses lead to the new ones.
redirects = {"systems": "user_guide/systems/index.html"}
for _folder, _names in {
    "getting_started": "install",
    "user_guide": "all_of_gaia analysis archive conventions flags performance photometry releases report topcat "
    "validation where_labels_hold writing",
    "user_guide/systems": "solardis spcanet surveys",
    "reference": "benchmarks changes columns",
    "development": "contributing",
}.items():
    redirects |= {name: f"{_folder}/{name}.html" for name in _names.split()}
