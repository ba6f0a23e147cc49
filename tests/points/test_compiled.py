"""In a process of its own: the shape hook of the test-suite is not for torch.compile."""

import subprocess
import sys
import textwrap

SCRIPT = """
    import torch
    from mdcv import points

    torch.manual_seed(0)
    x, y = torch.randn(2, 9, 3, requires_grad=True), torch.randn(2, 9, 3)

    def run(name, *arguments, **options):
        eager = getattr(points, name)
        compiled = torch.compile(eager, fullgraph=True, backend="aot_eager")
        found, expected = (call(*arguments, **options) for call in (compiled, eager))
        torch.testing.assert_close(found, expected)
        return found, expected

    run("nearest_neighbors", x, y, 2)
    run("farthest_point_sample", y, 5)
    run("ball_query", y, y[:, :4], 1.0, 5)
    for name in ("pairwise", "hausdorff", "chamfer", "earth_movers"):
        name += "_distances" if name == "pairwise" else "_distance"
        gradients = [torch.autograd.grad(value.sum(), x)[0] for value in run(name, x, y)]
        torch.testing.assert_close(*gradients)

    compiled = torch.compile(points.nearest_neighbors, fullgraph=True, backend="aot_eager")
    try:
        compiled(x, torch.full_like(y, float("nan")), 2)
    except ValueError as error:
        assert "y holds NaN" in str(error)
    else:
        raise AssertionError("NaN passed the compiled door")
"""


def test_every_function_compiles_as_one_graph_and_keeps_its_gradient():
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
