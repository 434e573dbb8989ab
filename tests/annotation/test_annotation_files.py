"""The folder of an annotation: what is saved comes back, and explanations read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import palate
from palate.cli.annotate_view import print_annotation
from palate.concepts.annotation.annotation import Annotation
from palate.concepts.annotation.board import Lost
from palate.concepts.annotation.notes import notes_of
from palate.concepts.annotation.second_order import Consistency, combined, consistency
from palate.concepts.gather import gather
from palate.concepts.matrix import ConceptMatrix
from palate.data.injection import Flag
from palate.data.preferences import Preferences
from palate.errors import FileFormatError, InputError
from palate.explanations.annotated import with_orders
from palate.report.annotation import annotation_section
from palate.report.html import render

from .asked import demo_concepts, recorded

NAN = np.nan


def planted(
    preferences: Preferences, *, hostile: str = "", only: slice = slice(None)
) -> Annotation:
    """An annotation of the demo set made of its recorded values, with a bit of everything."""
    concepts = demo_concepts()[only]
    shape = (preferences.n_pairs, len(concepts))
    first, second = np.full(shape, NAN), np.full(shape, NAN)
    asked = np.zeros(shape, dtype=bool)
    domains = tuple(preferences.pairs["domain"].to_list())
    for i, pair in enumerate(preferences.ids):
        row = recorded()[pair]
        for j, concept in enumerate(concepts):
            if concept.domains is not None and domains[i] not in concept.domains:
                first[i, j] = 0.0
                continue
            asked[i, j] = True
            first[i, j] = row["values"][concept.name]
            if "values_swapped" in row:
                second[i, j] = row["values_swapped"][concept.name]
    first[5] = second[5] = NAN  # nothing is known of this pair
    asked[:, 3] &= np.arange(shape[0]) < 100
    first[~asked[:, 3], 3] = second[~asked[:, 3], 3] = NAN
    values = combined(first, second)
    return Annotation(
        matrix=ConceptMatrix(
            ids=tuple(preferences.ids),
            concepts=concepts,
            values=values,
            scales=("comp",) * shape[1],
            step=np.full(shape[1], NAN),
            provenance={"source": "annotated", "protocol": "lean", "model": "scripted:demo"},
        ),
        first=first,
        second=second,
        asked=asked,
        domains=domains,
        order=tuple(consistency(first, second)),
        lost=(
            Lost(
                preferences.ids[5],
                "first order",
                tuple(c.name for j, c in enumerate(concepts) if asked[5, j]),
                "timeout",
                f"No answer.{hostile}",
            ),
        ),
        truncated={preferences.ids[7]: ("response_a",)},
        flagged={preferences.ids[2]: (Flag("prompt", "a role marker", f"<|im_start|>{hostile}"),)},
        dropped={concepts[3].name: f"no chance{hostile}"},
        stopped={concepts[1].name: ("law",)},
        cleaned=2,
        choices={"protocol": "lean", "second_order": "audit", "max_chars": 12000, "rounds": (1.0,)},
        seed=3,
        provenance={"model": "scripted:demo"},
    )


@pytest.fixture(scope="module")
def demo() -> Preferences:
    return palate.load_demo()


def test_what_is_saved_comes_back(demo: Preferences, tmp_path: Path) -> None:
    made = planted(demo)
    made.save(tmp_path / "a")
    found = Annotation.load(tmp_path / "a")
    for name in ("first", "second", "asked"):
        np.testing.assert_array_equal(getattr(found, name), getattr(made, name), err_msg=name)
    np.testing.assert_array_equal(found.matrix.values, made.matrix.values)
    for name in (
        *("lost", "truncated", "flagged", "dropped", "stopped", "cleaned", "choices"),
        *("seed", "order", "domains", "ids", "failures", "coverage", "n_inconsistent", "spent"),
    ):
        assert getattr(found, name) == getattr(made, name), name
    assert found.matrix.concepts == made.matrix.concepts
    assert found.table().equals(made.table())
    found.save(tmp_path / "b")
    for file in (tmp_path / "a").iterdir():
        assert (tmp_path / "b" / file.name).read_bytes() == file.read_bytes(), file.name


def test_what_a_policy_asked_again_says_nothing_of_reliability(
    demo: Preferences, tmp_path: Path
) -> None:
    audited = np.arange(demo.n_pairs) % 4 != 0
    made = replace(planted(demo), audited=audited)
    made.save(tmp_path)
    orders = Annotation.load(tmp_path).orders()
    assert orders is not None
    assert not np.isfinite(orders[1].values[~audited]).any()
    assert np.isfinite(orders[1].values[audited]).any()
    assert replace(made, audited=np.arange(demo.n_pairs) < 15).orders() is None


def test_values_are_rows_that_palate_explain_reads(demo: Preferences, tmp_path: Path) -> None:
    made = planted(demo)
    made.save(tmp_path)
    read = palate.read_concepts(tmp_path / "concepts.json", tmp_path / "values.jsonl")
    known = np.isfinite(made.matrix.values)
    np.testing.assert_array_equal(read.values[known], made.matrix.values[known])
    again = palate.read_concepts(tmp_path / "concepts.json", tmp_path / "values.jsonl", again=True)
    assert again.n_pairs == np.isfinite(made.second).any(axis=1).sum()


def test_soft_values_keep_their_scale_in_the_files(demo: Preferences, tmp_path: Path) -> None:
    made = planted(demo)
    soft = made.matrix.values * 0.25
    made = replace(made, matrix=replace(made.matrix, values=soft), first=soft, second=soft * NAN)
    made.save(tmp_path)
    assert json.loads((tmp_path / "concepts.json").read_text())[0]["scale"] == "comp"
    found = Annotation.load(tmp_path)
    np.testing.assert_array_equal(found.matrix.values, soft)
    assert set(found.matrix.scales) == {"comp"}


def test_the_notes_say_what_a_reader_must_know(demo: Preferences) -> None:
    made = planted(demo)
    notes = notes_of(made)
    assert notes[0].startswith("28 concepts annotated by scripted:demo (protocol 'lean', one order")
    assert f"of {sum(o.n for o in made.order):,} values asked in both" in notes[0]
    text = " ".join(notes)
    for words in (
        "1 pair has questions without an answer",
        "timeout (1)",
        "1 concept was given up during the annotation and is left out: Warmth (no chance)",
        "1 concept was not asked of every pair",
        "1 pair was shown shortened, to 12,000 characters of each text: cooking/007",
        "1 pair has a text that may address the model",
        "2 characters that cannot be sent",
    ):
        assert words in text, words


def with_concept(made: Annotation, j: int, **changes: Any) -> Annotation:
    concepts = list(made.matrix.concepts)
    concepts[j] = replace(concepts[j], **changes)
    return replace(made, matrix=replace(made.matrix, concepts=tuple(concepts)))


def test_a_concept_of_domains_that_are_not_there_is_told(demo: Preferences) -> None:
    assert "not asked:" not in " ".join(notes_of(planted(demo)))
    made = with_concept(planted(demo), 0, name="Zing", domains=("mars",))
    told = (
        "1 concept belongs to domains that the annotated pairs do not have and was not asked: "
        "'Zing' (mars)."
    )
    assert told in notes_of(made)
    many = with_concept(made, 1, name="long " * 20, domains=("mars", "moon"))
    assert "2 concepts belong" in notes_of(many)[1]
    assert "long lon…' (mars, moon)." in notes_of(many)[1]
    explained = gather(demo, annotation=many)
    assert notes_of(many)[1] in explained.notes


def test_concepts_without_a_definition_are_told(demo: Preferences) -> None:
    made = with_concept(planted(demo), 2, name="Tact", definition=" ")
    assert (
        "1 concept has no definition and was asked by name only: Tact; `palate discover "
        "--vocabulary FILE --llm MODEL` writes definitions."
    ) in notes_of(made)
    never = with_concept(made, 2, domains=("mars",))
    assert "by name only" not in " ".join(notes_of(never))


def test_concepts_given_up_are_counted_by_reason_and_their_names_cut(demo: Preferences) -> None:
    rare, hopeless = "the responses differ in it on 1 of 60 pairs", "... to become supported ..."
    dropped = {"Warmth": rare, "Length": rare, "long " * 60: hopeless}
    text = " ".join(notes_of(replace(planted(demo), dropped=dropped)))
    assert (
        "3 concepts were given up during the annotation and are left out: Warmth, Length, "
        "long long long long long long lon… (2 hardly ever differ, 1 cannot become supported)."
    ) in text
    mixed = notes_of(replace(planted(demo), dropped=dropped | {"X": "mine"}))
    assert "supported, 1 for another reason)." in " ".join(mixed)
    mine = notes_of(replace(planted(demo), dropped={"X": "mine", "Y": "mine"}))
    assert "left out: X, Y." in " ".join(mine)


def test_gather_takes_an_annotation(demo: Preferences, tmp_path: Path) -> None:
    made = planted(demo)
    made.save(tmp_path)
    gathered = gather(demo, annotation=tmp_path)
    assert "Warmth" not in gathered.matrix.names
    assert gathered.notes[: len(notes_of(made))] == notes_of(made)
    assert np.isnan(gathered.matrix.values[5]).all()
    assert gathered.annotation is not None
    beside = gather(demo, annotation=made, with_measured=True, families=["length"], n_jobs=1)
    assert beside.matrix.names[-27:] == ("Length (imported)", *gathered.matrix.names[1:])
    with pytest.raises(InputError, match="one of the two"):
        gather(demo, annotation=made, values=tmp_path / "values.jsonl")
    elsewhere = demo.select([0, 1]).with_domains("domain")
    assert gather(elsewhere, annotation=made).matrix.n_pairs == 2


def test_reliability_is_that_of_one_order_with_the_other(demo: Preferences) -> None:
    made = planted(demo, only=slice(0, 15, 2))
    checker = demo.with_mechanisms(["checker"]).select(list(range(120)))
    for with_measured in (False, True):
        gathered = gather(
            checker, annotation=made, with_measured=with_measured, families=["length"], n_jobs=1
        )
        plain = palate.explain_all(checker, gathered.matrix, n_bootstrap=2, n_folds=3, n_jobs=1)
        found = with_orders(plain, checker, gathered.matrix, made)[0]
        assert found.reliability is not None
        row = found.reliability.filter(concept="Concreteness").row(0, named=True)
        j = made.matrix.names.index("Concreteness")
        both = np.isfinite(made.first[:, j]) & np.isfinite(made.second[:, j])
        both &= np.isin(made.ids, checker.ids)
        x, y = made.first[both, j], made.second[both, j]
        assert row["n_pairs"] == both.sum()
        assert row["reliability"] == pytest.approx(2 * (x * y).sum() / (x**2 + y**2).sum())
        if with_measured:
            assert found.reliability.filter(concept="Length")["reliability"].item() is None


def test_the_report_has_a_section_and_escapes_what_strangers_wrote(demo: Preferences) -> None:
    made = planted(demo, hostile="</bdi><script>alert(1)</script>\u202e\x1b[31m", only=slice(4))
    checker = demo.with_mechanisms(["checker"]).select(list(range(120)))
    gathered = gather(checker, annotation=made)
    explanations = palate.explain_all(
        checker, gathered.matrix, n_bootstrap=2, n_folds=3, n_jobs=1
    ).explanations
    page = render(explanations, checker, notes=gathered.notes, annotation=made)
    section = page[page.index('<section id="annotation"') : page.index('<section id="method"')]
    assert '<a href="#annotation">' in page
    for words in (
        "Same answer",
        "given up: no chance",
        "enough known in law",
        "100 of 240",
        "timeout",
        "cooking/005",
        "cooking/007",
        "a role marker",
        "&lt;script&gt;",
        "⟦RLO⟧",
    ):
        assert words in section, words
    assert "<script" not in section
    assert "\x1b" not in page
    rest = page[page.index('<section id="method"') :]
    assert "annotated by scripted:demo" not in rest.partition("</section>")[0]  # said once
    assert "How the concepts were annotated" not in render(explanations, checker)


def test_consistency_of_few_pairs_is_marked(
    demo: Preferences, capsys: pytest.CaptureFixture[str]
) -> None:
    made = planted(demo)
    order = (Consistency(9, 6, 0), Consistency(10, 6, 0), Consistency(0, 0, 0), *made.order[3:])
    made = replace(made, order=order)
    section = annotation_section(made)
    assert [c["few"] for c in section["concepts"][:3]] == [True, False, False]
    assert section["few"] == 10
    assert not annotation_section(replace(made, order=(Consistency(10, 6, 0),) * 28))["few"]
    print_annotation(made, closing="", out=Path("o"), command="c")
    assert capsys.readouterr().out.count("67 % (few)") == 1


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda f: (f / "values.jsonl").unlink(), "found no values.jsonl"),
        (lambda f: (f / "annotation.json").write_text("{}"), "found schema None; expected schema"),
        (lambda f: (f / "annotation.json").write_text("{"), "cannot be read as JSON"),
        (lambda f: (f / "failures.jsonl").write_text("{"), "JSON lines"),
        (lambda f: (f / "failures.jsonl").write_text('{"id": "x"}\n'), "cannot be read"),
        (lambda f: (f / "concepts.json").write_text("[]"), "empty list"),
        (lambda f: (f / "values.jsonl").write_text('{"id": "x", "values": {"?": 1}}\n'), "'\\?'"),
    ],
)
def test_a_folder_that_is_none_is_refused(
    demo: Preferences, tmp_path: Path, break_it: object, words: str
) -> None:
    planted(demo).save(tmp_path)
    break_it(tmp_path)  # type: ignore[operator]
    with pytest.raises(FileFormatError, match=words):
        Annotation.load(tmp_path)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda rows: rows[4]["values"].update(Length=7), r"row 5.*'Length'.*7.*from -1 to 1"),
        (lambda rows: rows[4]["values"].update(Zing=1), r"row 5.*'Zing'.*concepts\.json"),
        (lambda rows: rows[4].update(id=rows[3]["id"]), r"row 5.*'id'.*occur once"),
        (lambda rows: rows.pop(4), r"values\.jsonl: found 239 rows; expected the 240 pairs"),
    ],
)
def test_values_edited_by_hand_are_told_by_row_and_column(
    demo: Preferences, tmp_path: Path, edit: Callable[[list[Any]], object], words: str
) -> None:
    planted(demo).save(tmp_path)
    file = tmp_path / "values.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    edit(rows)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(FileFormatError, match=words):
        Annotation.load(tmp_path)


def test_concepts_that_do_not_fit_their_annotation_are_told(
    demo: Preferences, tmp_path: Path
) -> None:
    planted(demo).save(tmp_path)
    file = tmp_path / "concepts.json"
    first, *others = json.loads(file.read_text())
    file.write_text(json.dumps(others))
    with pytest.raises(FileFormatError, match=rf"concepts\.json.*'{first['name']}' is in one"):
        Annotation.load(tmp_path)


def test_two_orders_combine() -> None:
    first = np.array([[1.0, 1.0, 1.0, 0.0, NAN, NAN, 0.5, 1.0]])
    second = np.array([[1.0, -1.0, 0.0, 1.0, 1.0, NAN, -0.25, NAN]])
    expected = [[1.0, 0.0, 0.0, 0.0, 1.0, NAN, 0.125, 1.0]]
    np.testing.assert_array_equal(combined(first, second), expected)
    np.testing.assert_array_equal(combined(-first, -second), -np.array(expected))
    found = consistency(first, second)
    assert found[0] == Consistency(1, 1, 0)
    assert found[1] == Consistency(1, 0, 1)
    assert found[3] == Consistency(1, 0, 0)
    assert found[5] == Consistency(0, 0, 0)
    assert found[6] == Consistency(1, 0, 0)  # -.25 counts as equal
    assert found[5].share is None
