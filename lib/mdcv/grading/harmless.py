"""What strangers wrote and showed, on a page: tables and pictures stay, nothing runs.

nbgrader's feedback and its formgrader put the HTML of a notebook into their pages as it is. In
the formgrader a script would act with the grader's own rights. Both are made by nbconvert, which
course/nbgrader_config.py tells to go through here. Nothing is changed in the notebooks.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from html import escape
from typing import Any

from bleach.css_sanitizer import CSSSanitizer
from bleach.html5lib_shim import Filter
from bleach.sanitizer import Cleaner
from jinja2 import pass_context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode

#: HTML beyond this is shown as plain text: no table of a course is so large, and cleaning what
#: was made to be slow would take for ever.
MAX_CHARACTERS, MAX_TAGS = 200_000, 10_000

#: A text cell beyond this is cut on a page.
MAX_TEXT = 50_000

#: Elements that go with everything in them; of all others that are not listed, the text stays.
GONE = {"script", "style"}

TAGS = {
    *"a abbr b blockquote br caption code col colgroup dd del details div dl dt em".split(),
    *"h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre s samp small span strong sub".split(),
    *"summary sup table tbody td tfoot th thead tr u ul var".split(),
}

#: Of styles what colors and sizes; nothing that moves a thing over another, or hides it.
STYLES = (
    *"background-color border border-collapse color font-size font-style font-weight".split(),
    *"height margin max-width min-width padding text-align vertical-align width".split(),
)

#: What `display` may show in a page; everything else falls back to its plain text.
SHOWN = {"image/jpeg", "image/png", "image/svg+xml", "text/html", "text/latex", "text/markdown"}

_CLASS = re.compile(r"(?:highlight|hl-\w+|anchor-link|dataframe|[a-z]{1,3}\d?)")
_LINK = re.compile(r"#|https?://|mailto:", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*")

_LOADS_OR_COVERS = re.compile(r"url|image|\\|margin[\w-]*\s*:[^;]*-", re.IGNORECASE)


def _allowed(tag: str, name: str, value: str) -> bool:
    """Whether an attribute may stay: links, pictures that are in the page, and the looks."""
    if name == "style":
        return _LOADS_OR_COVERS.search(value) is None
    if name in ("title", "alt", "align", "colspan", "rowspan"):
        return True
    if name in ("width", "height", "border", "start"):
        return value.rstrip("%").isdigit()
    if name == "class":
        return all(_CLASS.fullmatch(word) for word in value.split())
    if name == "src":
        return tag == "img" and _PICTURE.fullmatch(value) is not None
    return name == "href" and tag == "a" and _LINK.match(value) is not None


class _Gone(Filter):
    """Takes scripts and styles out, with what they hold."""

    def __iter__(self) -> Iterator[dict]:
        inside = 0
        for token in super().__iter__():
            if token.get("name") in GONE:
                inside += {"StartTag": 1, "EndTag": -1}.get(token["type"], 0)
            elif not inside:
                yield token


@functools.cache
def _cleaner() -> Cleaner:
    return Cleaner(
        tags=TAGS | GONE,
        attributes=_allowed,
        protocols=["http", "https", "mailto", "data"],
        css_sanitizer=CSSSanitizer(allowed_css_properties=STYLES),
        strip=True,
        filters=[_Gone],
    )


def clean(html: str) -> str:
    """HTML of which nothing runs, loads anything or covers anything.

    >>> clean('<b onclick="x()">bold</b><script>x()</script><img src="https://a.b/c.png">')
    '<b>bold</b><img>'
    """
    if len(html) > MAX_CHARACTERS or html.count("<") > MAX_TAGS:
        return f"<pre>{escape(html[:MAX_CHARACTERS])}</pre>"
    return _cleaner().clean(html)


@pass_context
def markdown(context: Any, source: str) -> str:
    """The filter `markdown2html` of a page, in the place of nbconvert's own."""
    if len(source) > MAX_TEXT:
        source = source[:MAX_TEXT] + "\n\n*The rest is too long for a page.*"
    attachments = context.get("cell", {}).get("attachments", {})
    renderer = IPythonRenderer(escape=False, attachments=attachments)
    return clean(MarkdownWithMath(renderer=renderer).render(source))


class HarmlessOutputs(Preprocessor):
    """Cleans what the cells have shown, as a page is made."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict, index: int
    ) -> tuple[NotebookNode, dict]:
        """The cell with outputs of which nothing runs; a raw cell is shown as text."""
        if cell.cell_type == "raw":
            cell.source = f"<pre>{escape(cell.source)}</pre>"
        for output in cell.get("outputs", []):
            if "data" in output:
                output.data = NotebookNode(_shown(output.data))
                output.metadata = NotebookNode(_sizes(output.get("metadata", {})))
        return cell, resources


def _shown(data: dict) -> dict:
    kept = {mime: value for mime, value in data.items() if mime in {*SHOWN, "text/plain"}}
    html = kept.pop("text/html", None)
    if isinstance(html, str):
        kept["text/html"] = clean(html)
    return kept or {"text/plain": "[this cannot be shown on a page]"}


def _sizes(metadata: dict) -> dict:
    """Width and height of pictures, where they are numbers."""
    return {
        mime: {name: size for name, size in about.items() if isinstance(size, int | float)}
        for mime, about in metadata.items()
        if isinstance(about, dict) and mime.startswith("image/")
    }
