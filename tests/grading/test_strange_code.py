"""Strange code on the real assignments, several kinds of it in one submission.

What is odd and right earns everything; what cheats earns nothing, and costs its neighbors nothing.
Each run carries several: a kernel is up in a moment, but not in none.
"""

from __future__ import annotations

import copy
import functools
import json
from pathlib import Path

import pytest

from mdcv.grading.execution import Limits, run_notebook
from mdcv.grading.marks import Mark, mark_notebook
from mdcv.grading.skeleton import grade_id_of, is_answer, is_question, load_skeleton

pytestmark = pytest.mark.grading

SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions"
SECRET = 730_918_273


@functools.cache
def skeleton(assignment: str):
    return load_skeleton(SOLUTIONS / assignment / f"{assignment}.ipynb")


@functools.cache
def solutions(assignment: str) -> dict[str, str]:
    import nbformat

    page = nbformat.read(SOLUTIONS / assignment / f"{assignment}.ipynb", as_version=4)
    return {grade_id_of(cell): cell.source for cell in page.cells if is_answer(cell)}


@pytest.fixture
def graded(tmp_path):
    """Grades the solution with some answers changed; a change gets the solution's own code.

    Experiments and figures are left out: nobody is asked about them here.
    """

    def grade(assignment: str, answers: dict, files: dict[str, str] | None = None):
        notebook = copy.deepcopy(skeleton(assignment).notebook)
        written = solutions(assignment)
        for name, content in (files or {}).items():
            (tmp_path / name).write_text(content)
        kept = []
        for cell in notebook.cells:
            name = grade_id_of(cell) or ""
            if is_answer(cell) and not is_question(cell):
                change = answers.get(name.removesuffix("-solution"), "{solution}")
                cell.source = change.replace("{solution}", written[name])
            elif name != "setup" and (is_answer(cell) or not is_question(cell)):
                continue
            kept.append(cell)
        notebook.cells = kept
        run_notebook(notebook, folder=tmp_path, seed=SECRET, limits=Limits(cell_seconds=10.0))
        return mark_notebook(notebook), json.dumps(notebook)

    return grade


def lost(marks: dict[str, Mark]) -> dict[str, str]:
    return {name: mark.message for name, mark in marks.items() if mark.score != mark.max_score}


#: Put around a function that is right, they leave it right.
WRAPPED = """{solution}
inner_NAME = NAME
"""
CACHED = WRAPPED + "import functools\nNAME = functools.lru_cache(maxsize=None)(inner_NAME)"
COMPILED = WRAPPED + "NAME = torch.compile(inner_NAME, backend='eager')"
SLOTTED = (
    WRAPPED + "class Asked:\n    __slots__ = ()\n"
    "    def __call__(self, *a, **k): return inner_NAME(*a, **k)\nNAME = Asked()"
)
MADE = WRAPPED + "class NAME:\n    def __new__(cls, *a: Undefined, **k): return inner_NAME(*a, **k)"
PRINTING = WRAPPED + (
    "import warnings\ndef NAME(*a, **k):\n    print(*a)\n    get_ipython().system('true')\n"
    "    warnings.warn('old')\n    return inner_NAME(*a, **k)"
)


def around(form: str, name: str) -> str:
    return form.replace("NAME", name)


def test_functions_in_odd_clothes_earn_everything(graded):
    forms = {
        "cross_entropy": "from __future__ import annotations\n" + MADE,
        "kl_divergence": CACHED,
        "gaussian_kl": COMPILED,
        "wasserstein_1d": SLOTTED,
        "contrastive_loss": PRINTING,
        "triplet_loss": "%%time\n{solution}",
    }
    marks, _ = graded("a1_distances", {name: around(form, name) for name, form in forms.items()})
    assert lost(marks) == {}


#: Said at the top of a notebook, they change the world for all that comes behind.
SETTINGS = {
    "another dtype, warnings as errors": "import torch, warnings\n"
    "torch.set_default_dtype(torch.float64)\nwarnings.simplefilter('error')\n",
    "seeds that are overwritten, no gradients": "import random, numpy, torch\n"
    "random.seed = numpy.random.seed = torch.manual_seed = 42\ntorch.set_grad_enabled(False)\n",
    "an alarm, other streams": "import signal, sys\n"
    "signal.signal(signal.SIGALRM, lambda *a: 1 / 0)\nsignal.setitimer(signal.ITIMER_REAL, 0.3)\n"
    "sys.stdout = open('log', 'w')\nsys.setrecursionlimit(150)\n",
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_settings_of_the_whole_notebook_cost_nothing(graded, settings):
    """Networks are asked: their weights have the default dtype."""
    marks, _ = graded("a5_pointnet", {"distinct_count": settings + "{solution}"})
    assert lost(marks) == {}


def test_what_a_notebook_may_say_to_its_kernel_is_no_error_here(graded):
    screens = "%matplotlib qt\n%matplotlib widget\nimport matplotlib\nmatplotlib.use('TkAgg')\n"
    magics = "%cd .\n%bookmark here\n%autosave 60\n%load_ext autoreload\n%autoreload 2\n!ls\n"
    helped = "from helpers import *\n%run helpers.py\nimport torch\n"
    spawned = (
        "import multiprocessing as mp\nwith mp.get_context('spawn').Pool(1) as pool:\n"
        "    assert pool.map(abs, [-1]) == [1]\n"
        "import os  # what PyTorch compiles has to go somewhere\n"
        "assert os.access(os.environ.get('TORCHINDUCTOR_CACHE_DIR', '.'), os.W_OK)\n"
    )
    answers = {
        "cross_entropy": screens + "{solution}",
        "kl_divergence": magics + "{solution}",
        "gaussian_kl": helped,
        "wasserstein_1d": spawned + "{solution}",
        "triplet_loss": "{solution}\nimport sys\nsys.exit()",
    }
    helpers = "import torch\n" + solutions("a1_distances")["gaussian_kl-solution"]
    marks, _ = graded("a1_distances", answers, {"helpers.py": helpers})
    assert lost(marks) == {}


def returning(name: str, *, given: str, value: str) -> str:
    return f"import gc, os, sys, torch\ndef {name}({given}, *more, **options):\n    {value}\n"


#: Wrong, and each of them wants to be taken for right.
CHEATS = {
    "answers nobody can compare": {
        "cross_entropy": "return (p * q).sum(-1) + 0j",
        "kl_divergence": "return p.sum(-1).to(torch.float8_e4m3fn)",
        "gaussian_kl": "return torch.empty(2**39, 0, 2**39)",
        "wasserstein_1d": "return p.sum(-1) * float('nan')",
        "contrastive_loss": "return torch.ones((1,) * 30)",
    },
    "answers from somewhere else": {
        "cross_entropy": "f = sys._getframe()\n    while f:\n"
        "        for v in f.f_locals.values():\n"
        "            if hasattr(v, 'expected'): return v.expected\n        f = f.f_back",
        "kl_divergence": "return next(o for o in gc.get_objects() if "
        "getattr(o, '__module__', '').startswith('mdcv.divergence'))(p, q)",
        "gaussian_kl": "from mdcv.divergence import gaussian_kl as known\n    return known(p, q)",
        "wasserstein_1d": "return torch.ops.mdcv.wasserstein_1d(p, q)",
        "contrastive_loss": "if os.fork() == 0: os._exit(0)\n    raise RuntimeError(open("
        "'/proc/1/environ').read())",
    },
    "answers to another question": {
        "cross_entropy": "for i in range(3, 99):\n        try: os.write(i, b'\\0' * 99)\n"
        "        except OSError: pass\n    return p.sum(-1)",
        "kl_divergence": "os.kill(os.getppid(), 9); return p.sum(-1)",
        "gaussian_kl": "os.closerange(0, 99); return p.sum(-1)",
        "wasserstein_1d": "os.fork(); return p.sum(-1)",
        "contrastive_loss": "raise type('ValueError', (BaseException,), {})('\\ud800')",
    },
}


@pytest.mark.parametrize("cheats", CHEATS.values(), ids=CHEATS)
def test_five_cheats_earn_nothing_and_the_honest_question_behind_them_everything(
    graded, left_over, cheats
):
    answers = {name: returning(name, given="p, q", value=value) for name, value in cheats.items()}
    marks, text = graded("a1_distances", answers)
    assert {name: marks[name].score for name in cheats} == dict.fromkeys(cheats, 0.0)
    assert marks["triplet_loss"].score == marks["triplet_loss"].max_score
    assert str(SECRET) not in text and left_over() == []
