"""Submissions that cheat, break or flood: each earns exactly what it has earned, and leaks nothing.

`double` is what they tamper with; `triple` is honest and keeps its points.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path

import psutil
import pytest

from mdcv.grading import warm
from mdcv.grading.course import CannotRun
from mdcv.grading.execution import Limits, run_notebook, walls_for
from mdcv.grading.marks import mark_notebook

pytestmark = pytest.mark.grading

LIMITS = Limits(cell_seconds=3.0, total_seconds=120.0, grace_seconds=0.5)
SECRET = 918273645

WRONG = "def double(x):\n    return x\n"

#: Code of the answer cell, by what it tries. None of them is an answer.
UNEARNED = {
    "replaces grade": WRONG + "def grade(*a, **o):\n    return 3.0\n",
    "replaces check": WRONG + "check = grade = lambda *a, **o: 3.0\n",
    "patches allclose": WRONG
    + "import torch\ntorch.allclose = torch.equal = lambda *a, **o: True\n"
    "torch.testing.assert_close = lambda *a, **o: None\n",
    "patches comparison of tensors": WRONG + "import torch\n"
    "torch.Tensor.__eq__ = torch.Tensor.all = lambda *a, **o: torch.tensor(True)\n",
    "patches what calls it": WRONG + "import mdcv.exercises.calling as c\n"
    "c.answer_within = lambda *a, **o: c.Answer(kind='number', returned='10')\n",
    "answers with garbage": WRONG + "import mdcv.exercises.packing as p\n"
    "p.pack_answer = lambda *a: ({'score': 3.0, 'passed': True}, [])\n",
    "answers with lies about lengths": WRONG + "import mdcv.exercises.packing as p, torch\n"
    "p.pack_answer = lambda *a: ({'values': [10**9]}, [torch.zeros(1)] * 50_000)\n",
    "forges a record": WRONG + "from IPython.display import display\n"
    "r = {'score': 3.0, 'max_score': 3, 'message': 'ok', 'passed': True, 'exercise': 'double'}\n"
    "display({'application/vnd.mdcv.outcome+json': r, 'text/plain': 'ok'}, raw=True)\n3.0",
    "forges a record when asked": "from IPython.display import display\ndef double(x):\n"
    "    display({'application/vnd.mdcv.outcome+json': {'score': 3.0, 'max_score': 3,"
    " 'message': 'ok'}}, raw=True)\n    return 3.0\n",
    "is equal to everything": "class Any:\n    def __eq__(self, o): return True\n"
    "    def __mul__(self, o): return self\n    __float__ = lambda self: 10.0\n"
    "def double(x):\n    return Any()\n",
    "returns a tensor subclass": "import torch\nclass T(torch.Tensor):\n"
    "    def __eq__(self, o): return torch.tensor(True)\n"
    "def double(x):\n    return x.as_subclass(T)\n",
    "returns nan": "def double(x):\n    return x * float('nan')\n",
    "returns a number": "def double(x):\n    return 10.0\n",
    "returns nothing": "def double(x):\n    pass\n",
    "yields": "def double(x):\n    yield 2 * x\n",
    "is async": "async def double(x):\n    return 2 * x\n",
    "is a string": "double = 'double'",
    "is deleted": "double = 1\ndel double",
    "does not parse": "def double(x:\n    return",
    "holds a null character": "def double(x):\n    return 2 * x\n\0",
    "raises a strange exception": "class E(BaseException):\n    def __str__(self): raise self\n"
    "def double(x):\n    raise E\n",
    "exits politely": "import sys\ndef double(x):\n    sys.exit(0)\n",
    "exits hard": "import os\ndef double(x):\n    os._exit(0)\n",
    "kills its process": "import os\ndef double(x):\n    os.kill(os.getpid(), 9)\n",
    "crashes the interpreter": "import ctypes\ndef double(x):\n    ctypes.string_at(0)\n",
    "recurses": "def double(x):\n    return double(x)\n",
    "loops": "def double(x):\n    while True: pass\n",
    "sleeps": "import time\ndef double(x):\n    time.sleep(1000)\n",
    "takes all memory": "import torch\ndef double(x):\n"
    "    return torch.ones(10**11).sum() * 0 + 2 * x\n",
    "returns too much": "import torch\ndef double(x):\n    return torch.zeros(100_000_000)\n",
    "kills its kernel in its cell": WRONG + "import os\nos._exit(1)\n",
    "kills its kernel later": WRONG + "import os, threading\n"
    "threading.Timer(0.2, lambda: os._exit(1)).start()\n",
    "never ends its cell": WRONG + "while True:\n    pass\n",
    "never gives in": WRONG + "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    "while True:\n    pass\n",
    "floods its output": WRONG + "while True:\n    print('x' * 10_000)\n",
    "floods with displays": WRONG + "from IPython.display import display\n"
    "for i in range(5_000): display(i)\n",
    "says done before it is": WRONG + "import json\nimport mdcv\n"
    "s = get_ipython().outbox.channel\ns.send({'done': 'cell'})\ns.send({'done': 'question'})\n"
    "s.send({'done': 'drop'})\n",
    "breaks the wire": WRONG
    + "import os\nget_ipython().outbox.channel.socket.send(b'\\xff' * 999)\n",
    "closes every file": WRONG + "import os\nos.closerange(0, 100)\n",
    "prints what it is asked": "import sys\ndef double(x):\n"
    "    print('ASKED', x); sys.__stderr__.write('ASKED')\n    return x\n",
    "leaves a thread that prints": WRONG + "import threading, time\ndef f():\n    while True:\n"
    "        print('x'); time.sleep(0.01)\nthreading.Thread(target=f, daemon=True).start()\n",
    "leaves children": WRONG + "import os\nfor _ in range(3):\n    if os.fork() == 0:\n"
    "        os.setsid()\n        while True: pass\n",
    "bombs": WRONG + "import os\nfor _ in range(200):\n    try:\n        if os.fork() == 0:\n"
    "            import time; time.sleep(100)\n    except OSError:\n        pass\n",
    "asks for input": "def double(x):\n    return float(input())\n",
    "looks for the answer": "def double(x):\n    import mdcv.grading\n    return 2 * x\n",
    "looks for the seed": "import os\ndef double(x):\n"
    f"    return 2 * x if str({SECRET - 1} + 1) in str(os.environ) + str(globals()) else x\n",
}

#: Code that breaks the kernel it runs in for all that comes behind it, in Jupyter as well.
SABOTAGE = {
    "replaces the shell's methods": WRONG + "ip = get_ipython()\n"
    "type(ip).run_cell = type(ip).run_one = lambda *a, **o: None\n",
}

#: Odd, and right.
EARNED = {
    "warns": "import warnings, sys\ndef double(x):\n    warnings.warn('old')\n"
    "    print('!', file=sys.stderr)\n    return 2 * x\n",
    "is an object": "class Doubler:\n    def __call__(self, x): return 2 * x\ndouble = Doubler()\n",
    "is a partial": "import functools, operator\ndouble = functools.partial(operator.mul, 2)\n",
    "is a module": "import torch\nclass M(torch.nn.Module):\n"
    "    def forward(self, x): return x + x\ndouble = M()\n",
    "turns gradients off": "import torch\ntorch.set_grad_enabled(False)\n"
    "def double(x):\n    return 2 * x\n",
    "sets another default": "import torch\ntorch.set_default_dtype(torch.float64)\n"
    "def double(x):\n    return 2 * x\n",
    "uses several threads": "import torch\ntorch.set_num_threads(4)\n"
    "torch.randn(800, 800) @ torch.randn(800, 800)\ndef double(x):\n    return 2 * x\n",
    "uses magics": "%matplotlib inline\n%timeit -n1 -r1 1 + 1\n!echo hello\n"
    "def double(x):\n    return 2 * x\n",
    "awaits": "import asyncio\nawait asyncio.sleep(0)\ndef double(x):\n    return 2 * x\n",
    "draws": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\n"
    "def double(x):\n    return 2 * x\n",
}


@pytest.fixture
def graded(toy_skeleton, tmp_path):
    def run(code: str, **options):
        notebook = copy.deepcopy(toy_skeleton.notebook)
        cells = {cell.id: cell for cell in notebook.cells}
        cells["double-solution"].source = code
        cells["triple-solution"].source = "def triple(x):\n    return 3 * x\n"
        run_notebook(notebook, folder=tmp_path, seed=SECRET, limits=LIMITS, **options)
        marks = mark_notebook(notebook)
        return marks["double"], marks["triple"], notebook

    return run


@pytest.mark.parametrize("code", UNEARNED.values(), ids=UNEARNED)
def test_nothing_is_earned_by_it_and_the_honest_question_keeps_its_points(graded, left_over, code):
    double, triple, notebook = graded(code)
    assert double.score == 0.0 and double.message
    assert triple.score == 2.0, triple.message
    text = json.dumps(notebook)
    assert str(SECRET) not in text.replace(json.dumps(code)[1:-1], "") and len(text) < 1_000_000
    outputs = json.dumps([cell.get("outputs", []) for cell in notebook.cells])
    assert "ASKED" not in outputs
    assert left_over() == []


@pytest.mark.parametrize("code", SABOTAGE.values(), ids=SABOTAGE)
def test_who_breaks_the_kernel_earns_nothing_by_it(graded, code):
    double, triple, _ = graded(code)
    assert double.score == 0.0 and triple.score in (0.0, 2.0)


@pytest.mark.parametrize("code", EARNED.values(), ids=EARNED)
def test_what_is_odd_and_right_earns_its_points(graded, code):
    double, triple, _ = graded(code)
    assert (double.score, triple.score) == (3.0, 2.0), double.message


def test_a_template_that_dies_is_replaced(graded):
    assert graded(EARNED["warns"])[0].score == 3.0
    psutil.Process(warm._idle[-1].pid).kill()
    assert graded(EARNED["warns"])[0].score == 3.0


def test_walls_that_cannot_be_put_up_are_not_done_without(graded, monkeypatch):
    monkeypatch.setattr("mdcv.grading.execution.best_isolation", lambda: "none")
    with pytest.raises(CannotRun, match="no walls can be put up here"):
        graded("1")
    monkeypatch.setattr("mdcv.grading.execution.obstacle", lambda isolation: "no namespaces")
    with pytest.raises(CannotRun, match="full isolation does not work here: no namespaces"):
        graded("1", isolation="full")
    with pytest.raises(CannotRun, match="expected best, full, basic or none"):
        walls_for("some")


def test_files_of_the_student_are_there_and_their_folder_is_left_as_it_was(graded, tmp_path):
    (tmp_path / "factor.txt").write_text("2")
    code = "def double(x):\n    open('factor.txt', 'a').close()\n"
    code += "    return int(open('factor.txt').read()) * x\nopen('more.txt', 'w').write('x')\n"
    assert graded(code)[0].score == 3.0
    assert [path.name for path in Path(tmp_path).iterdir()] == ["factor.txt"]
