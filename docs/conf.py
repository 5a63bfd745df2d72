"""Sphinx settings: pages in Markdown, the reference from docstrings, the gallery from examples."""

import os
import re
import sys
from importlib.metadata import metadata
from importlib.util import find_spec
from inspect import isclass
from pathlib import Path

import sktspulse

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

_facts = metadata("sktspulse")
_urls = dict(line.split(", ", 1) for line in _facts.get_all("Project-URL"))

project = _facts["Name"]
author = _facts["Author"]
copyright = f"2026, {author}"
version = release = _facts["Version"]

extensions = [
    "mathml",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
# The times of the gallery's scripts are sorted by a script from another host.
exclude_patterns = ["_build", "inventories", "**sg_execution_times.rst"]
templates_path = ["_templates"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
default_role = "literal"
nitpicky = False
# What scikit-learn says of inherited methods refers to labels of its own pages.
suppress_warnings = ["ref.ref"]

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

# The inventories beside this file name what our pages link to, so that a build needs no network.
# SKTSPULSE_INVENTORIES=online takes the full ones of the other projects, and finds every name.
ONLINE = os.environ.get("SKTSPULSE_INVENTORIES") == "online"
intersphinx_mapping = {
    name: (address, None if ONLINE else f"inventories/{name}.txt")
    for name, address in {
        "python": "https://docs.python.org/3/",
        "numpy": "https://numpy.org/doc/stable/",
        "sklearn": "https://scikit-learn.org/stable/",
        "pandas": "https://pandas.pydata.org/docs/",
        "matplotlib": "https://matplotlib.org/stable/",
    }.items()
}

autosummary_generate = True
autodoc_typehints = "none"  # docstrings tell the types in words
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"  # words that are no alias stay words
numpydoc_xref_aliases = {
    **{name: name for name in ("array-like", "array_like", "iterable", "sequence", "generator")},
    **{name: f":class:`{name} <python:{name}>`" for name in ("bool", "dict", "float", "int")},
    **{name: f":class:`{name} <python:{name}>`" for name in ("list", "object", "str", "tuple")},
    "None": ":data:`None <python:None>`",
    "True": "True",
    "False": "False",
    "Axes": "matplotlib.axes.Axes",
    "Figure": "matplotlib.figure.Figure",
    "DataFrame": "pandas.DataFrame",
    "Pipeline": "sklearn.pipeline.Pipeline",
    "BaseEstimator": "sklearn.base.BaseEstimator",
    **{n: f"sktspulse.{n}" for n in sktspulse.__all__ if isclass(getattr(sktspulse, n))},
}


def drop_foreign_terms(app, what, name, thing, options, lines):
    """What scikit-learn says of inherited methods links to terms of its own glossary."""
    lines[:] = [re.sub(r":term:`([^`<]+)`", r"\1", line) for line in lines]


def setup(app):
    app.connect("autodoc-process-docstring", drop_foreign_terms)


# Lines with a prompt are the program; what is printed between them is not copied.
copybutton_prompt_text = r">>> |\.\.\. |\.\.\.$"
copybutton_prompt_is_regexp = True

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
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("sktspulse",),
    "reference_url": {"sktspulse": None},
}

html_theme = "pydata_sphinx_theme"
html_title = project
html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_show_sourcelink = False
html_context = {"default_mode": "auto"}
html_sidebars = {"**": ["sidebar-nav-bs"], "index": []}
html_theme_options = {
    "github_url": _urls["Source"],
    "logo": {
        "image_light": "_static/logo.svg",
        "image_dark": "_static/logo.svg",
        "text": "sktspulse",
        "alt_text": "",
    },
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "primary_sidebar_end": [],
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "footer_start": ["copyright"],
    "footer_end": [],
}
