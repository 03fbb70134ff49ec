"""`marketplace quality` on files: bad ones are sentences, good ones the same bytes each time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from marketplace.cli.frame import main

HEAD = "task,worker,label\n"
# What the `quality` extra does not bring.
ABSENT = (
    "flask sqlalchemy marshmallow stripe rq redis psycopg orjson jsonschema_rs defusedxml pyarrow"
    " PIL babel structlog sklearn statsmodels"
)


def run(*arguments: str | Path) -> Result:
    """The command's own end, with what it said."""
    return CliRunner().invoke(main, ["quality", *map(str, arguments)])


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Three workers on four tasks; one of them is mostly wrong."""
    path = tmp_path / "labels.csv"
    said = {"anna": "abab", "bela": "abab", "cyra": "baba"}
    rows = [
        f"t{at},{worker},{label}" for worker, word in said.items() for at, label in enumerate(word)
    ]
    path.write_text(HEAD + "\n".join(rows) + "\n")
    return path


def test_labels_in_answers_out(labels: Path, tmp_path: Path) -> None:
    out, workers = tmp_path / "out.csv", tmp_path / "workers.csv"

    ended = run("aggregate", labels, "-o", out, "--workers", workers)
    lines = out.read_text().splitlines()

    assert 0 == ended.exit_code, ended.output
    assert "task,label,confidence" == lines[0]
    assert ["t0,a", "t1,b", "t2,a", "t3,b"] == [line.rpartition(",")[0] for line in lines[1:]]
    assert "worker,labels,reliability,lower,upper" == workers.read_text().splitlines()[0]
    before = out.read_bytes()
    run("aggregate", labels, "-o", out)
    assert before == out.read_bytes()


def test_gold_turns_the_answers(labels: Path, tmp_path: Path) -> None:
    gold = tmp_path / "gold.csv"
    gold.write_text("task,label\nt0,b\nt9,a\n")

    ended = run("aggregate", labels, "--gold", gold)

    assert "t0,b,1.0000" in ended.stdout
    assert "1 gold task has no labels" in ended.stderr


def test_files_of_other_programs_are_read(tmp_path: Path) -> None:
    """A byte order mark, semicolons, quotes with line ends, more columns, other capitals."""
    path = tmp_path / "labels.csv"
    path.write_text(
        'Label;when;"Task";worker\r\n"a;b";1;"two\nlines";w1\r\n\r\n"a;b";2;"two\nlines";w2\r\n',
        encoding="utf-8-sig",
        newline="",
    )

    ended = run("aggregate", path)

    assert 0 == ended.exit_code, ended.output
    assert '"two\nlines",a;b,' in ended.stdout


def test_the_last_word_of_a_worker_counts_and_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(HEAD + "t,w,a\nu,w,b\nt,w,b\n")

    ended = run("aggregate", path)

    assert "1 row repeats a worker's word on a task; the last one counts." in ended.stderr
    assert "\nt,b," in ended.stdout


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty; its first line must name the columns."),
        (b"task,worker,label\n", "has no rows under its first line."),
        (b"task,person,label\nt,w,a\n", "has no column worker; it has task, person, label."),
        (b"task,worker,label\nt,w\n", "Line 2 of"),
        (b"task,worker,label\nt,,a\n", "says nothing under 'worker'."),
        (b'task,worker,label\nt,w,"a\n', "a quotation mark was left open"),
        (b"task,worker,label\nt,w,\xff\xfe\n", "is not text in UTF-8."),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(content)

    for command in ("aggregate", "agreement"):
        ended = run(command, path)

        assert 1 == ended.exit_code
        assert words in ended.stderr
        assert 1 == ended.stderr.count("\n")


def test_gold_with_two_truths_and_features_without_gold_are_refused(
    labels: Path, tmp_path: Path
) -> None:
    gold, features = tmp_path / "gold.csv", tmp_path / "features.csv"
    gold.write_text("task,label\nt0,b\nt0,a\n")
    features.write_text("task,score\nt0,0.5\n")

    assert "two truths for task t0" in run("aggregate", labels, "--gold", gold).stderr
    assert "--gold" in run("aggregate", labels, "--features", features).stderr


def test_numbers_are_averaged_with_an_interval(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(
        HEAD + "".join(f"t{at},w{who},{at * 10 + who}\n" for at in range(5) for who in range(4))
    )

    ended = run("aggregate", path, "--level", "interval")
    first = ended.stdout.splitlines()[1].split(",")

    assert "task,label,lower,upper" == ended.stdout.splitlines()[0]
    assert "t0" == first[0]
    assert 1.5 == pytest.approx(float(first[1]), abs=0.6)
    assert float(first[2]) < float(first[1]) < float(first[3])
    assert "'a' is not a number" in run("aggregate", _words(tmp_path), "--level", "interval").stderr


def _words(folder: Path) -> Path:
    path = folder / "words.csv"
    path.write_text(HEAD + "t,w,a\n")
    return path


def test_agreement_is_printed_with_its_interval(labels: Path) -> None:
    ended = run("agreement", labels)
    lines = ended.stdout.splitlines()

    assert ["measure", "alpha", "observed", "ac1", "fleiss"] == [
        line.split()[0] for line in lines[:5]
    ]
    assert ["4", "12"] == lines[1].split()[4:]
    assert "a 50.0%, b 50.0%" in lines[5]


def test_agreement_that_nobody_could_measure_says_so(tmp_path: Path) -> None:
    alone = tmp_path / "alone.csv"
    alone.write_text(HEAD + "t1,anna,a\nt2,anna,b\n")

    ended = run("agreement", alone)

    assert (0, True) == (ended.exit_code, "No task has labels of two workers" in ended.stdout)


def test_the_quality_extra_is_enough(labels: Path) -> None:
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys\nfor name in {ABSENT!r}.split(): sys.modules[name] = None\n"
            "from marketplace.cli import main\nmain(['quality', *sys.argv[1:]])",
            "aggregate",
            str(labels),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == ended.returncode, ended.stderr
    assert ended.stdout.startswith("task,label,confidence\nt0,a,")


@pytest.mark.parametrize(
    ("head", "row"), [("task,worker,label", "x|y,w,{}"), ("left,right,worker,label", "x,y,w,{}")]
)
def test_comparisons_in_strengths_out(tmp_path: Path, head: str, row: str) -> None:
    path, out, workers = tmp_path / "in.csv", tmp_path / "out.csv", tmp_path / "workers.csv"
    path.write_text("\n".join([head, *map(row.format, ("x", "left", "x", "tie", "y"))]) + "\n")

    ended = run("aggregate", path, "--level", "pairwise", "-o", out, "--workers", workers)

    assert 0 == ended.exit_code, ended.output
    lines = [line.split(",") for line in out.read_text().splitlines()]
    assert ["item", "strength", "lower", "upper", "n"] == lines[0]
    assert [("x", "5"), ("y", "5")] == [(line[0], line[-1]) for line in lines[1:]]
    assert float(lines[1][2]) < float(lines[1][1]) < float(lines[1][3])
    assert "worker,labels,reliability,side" == workers.read_text().splitlines()[0]
    path.write_text("\n".join([head, row.format("z")]) + "\n")
    assert (
        "is neither 'x', 'y', left, right nor tie"
        in run("aggregate", path, "--level", "pairwise").output
    )
