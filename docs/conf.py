"""Sphinx settings: pages in Markdown, the reference from docstrings, the gallery from examples."""

from importlib.metadata import metadata
from importlib.util import find_spec

_facts = metadata("sktspulse")
_urls = dict(line.split(", ", 1) for line in _facts.get_all("Project-URL"))

project = _facts["Name"]
author = _facts["Author"]
copyright = f"2026, {author}"
version = release = _facts["Version"]

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
default_role = "literal"
nitpicky = False
# What scikit-learn says of inherited methods refers to labels of its own pages.
suppress_warnings = ["ref.ref"]

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

autosummary_generate = True
numpydoc_show_class_members = False
copybutton_prompt_text = ">>> "

# Examples of engines that are not installed are shown without their figures.
engines = {"dask": "distributed", "spark": "pyspark"}
missing = "|".join(name for name, module in engines.items() if find_spec(module) is None)

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": rf"/plot_(?!({missing})\.py)",
    # Scripts that take data or hours have folders of their own. The gallery takes a folder for a
    # section only if it holds a header or a README, so theirs hold none.
    "ignore_pattern": r"^(?!plot_)",
    "abort_on_example_error": True,
    "min_reported_time": 60,
    "download_all_examples": False,
    "show_signature": False,
}

html_theme = "pydata_sphinx_theme"
html_title = project
html_sidebars = {"**": ["sidebar-nav-bs"], "index": []}
html_theme_options = {
    "github_url": _urls["Source"],
    "show_toc_level": 2,
    "navigation_with_keys": False,
}
html_show_sourcelink = False
