"""Many mechanisms side by side: agreement by counting, distances of known worlds, the figure."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

import palate
from palate.data.preferences import Preferences
from palate.errors import DataError, FileFormatError
from palate.explanations.comparison_matrix import ComparisonMatrix
from palate.report.mechanism_matrix import cell_sentence, matrix_figure, row_sentence, tree

from .worlds import matrix_of, preferences_of

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "judges.jsonl.gz"


def family(n: int = 400, *, seed: int = 0) -> tuple[Preferences, palate.ConceptMatrix]:
    """Judges in two camps: two that reward c0, two that reward c1, one that judged little."""
    random = np.random.default_rng(seed)
    values = random.choice([-1.0, 0.0, 1.0], size=(n, 3))
    verdicts: dict[str, list[float | None]] = {}
    for name, weights in (
        ("red <1>", (1.2, 0.0, 0.3)),
        ("blue 1", (0.0, 1.2, 0.3)),
        ("red 2", (1.2, 0.0, 0.3)),
        ("blue 2", (0.0, 1.2, 0.3)),
    ):
        p = 1 / (1 + np.exp(-values @ np.array(weights)))
        said = np.where(random.random(n) < p, 1.0, -1.0)
        verdicts[name] = np.where(random.random(n) < 0.1, 0.0, said).tolist()
    verdicts["silent"] = [1.0] * 5 + [None] * (n - 5)
    preferences = preferences_of(verdicts, [f"domain {k % 2}" for k in range(n)])
    return preferences, matrix_of(values, preferences.ids)


@pytest.fixture(scope="module")
def found() -> ComparisonMatrix:
    """The family, compared."""
    return palate.compare_all(*family(), n_jobs=1)


def test_agreement_is_counted(found: ComparisonMatrix) -> None:
    preferences, _ = family()
    for i, j in itertools.combinations(range(4), 2):
        a, b = (np.sign(preferences.verdict(found.mechanisms[k])) for k in (i, j))
        assert found.agreement[i, j] == pytest.approx((a == b).mean())
        assert found.judged[i, j] == 400
    assert (found.agreement == found.agreement.T).all()
    assert "expected at least 20" in found.skipped["silent"]


def test_distances_tell_the_camps_apart_and_the_order_puts_them_together(
    found: ComparisonMatrix,
) -> None:
    assert found.nearest("red <1>")[0][0] == "red 2"
    # two effects differ by 1.2 each, times the root mean square sqrt(2/3), a mean over 3 concepts
    expected = 1.2 * np.sqrt(2 / 3) * np.sqrt(2 / 3)
    large = palate.compare_all(*family(2_000), n_jobs=1)
    between = [large.distance[i, j] for i, j in ((0, 1), (0, 3), (2, 1), (2, 3))]
    assert np.mean(between) == pytest.approx(expected, rel=0.1)
    assert large.distance[0, 2] < 0.2 * expected
    camps = [found.mechanisms[i].split()[0] for i in found.order]
    assert camps in (["red", "red", "blue", "blue"], ["blue", "blue", "red", "red"])


def test_the_noise_correction_is_right_on_average() -> None:
    squares = []
    for seed in range(12):
        m = palate.compare_all(*family(150, seed=seed), n_jobs=1, mechanisms=["red <1>", "red 2"])
        squares.append(m.distance[0, 1])
    # equal judges: without the correction every one of these would be about .3
    assert np.median(squares) < 0.15
    assert min(squares) == 0.0


def test_what_is_saved_is_what_is_loaded(found: ComparisonMatrix, tmp_path: Path) -> None:
    found.save(tmp_path / "m.json")
    again = ComparisonMatrix.load(tmp_path / "m.json")
    assert (again.mechanisms, again.order, again.skipped) == (
        found.mechanisms,
        found.order,
        found.skipped,
    )
    for name in ("judged", "agreement", "kappa", "distance", "merges"):
        assert np.array_equal(getattr(again, name), getattr(found, name), equal_nan=True), name
    with pytest.raises(FileFormatError, match="cannot be read as a comparison of mechanisms"):
        ComparisonMatrix.load(tmp_path / "absent.json")


def test_one_mechanism_is_refused() -> None:
    with pytest.raises(DataError, match="1 of 2 mechanisms can be explained"):
        palate.compare_all(*family(), n_jobs=1, mechanisms=["red <1>", "silent"])


def test_the_figure_escapes_names_and_says_every_cell(found: ComparisonMatrix) -> None:
    page = matrix_figure(found)
    assert "red <1>" not in page
    assert "red &lt;1&gt;" in page
    assert page.count("agree on") == 2 * 12  # title and text of 12 cells
    assert page.count('tabindex="0"') == 2 + 12  # the two regions that scroll, and every cell
    assert "what they reward" in cell_sentence(found, 0, 1)
    assert "red 2" in row_sentence(found, 0)
    assert tree(found).count("<path") == 3


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.exists(), reason="the shared judges are not here")
def test_thirty_five_real_mechanisms() -> None:
    m = palate.compare_all(palate.read(SHARED), n_jobs=1)
    assert len(m.mechanisms) == 35
    assert sorted(m.order) == list(range(35))
    assert not np.isnan(m.distance).any()
    assert "tabindex" in matrix_figure(m)
    # one judge asked in two ways is nearer to itself than to the other judges
    assert m.nearest("GPT-4/CoT")[0][0].startswith("GPT-4/")
