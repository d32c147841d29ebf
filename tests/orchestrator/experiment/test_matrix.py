from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.experiment import cases, matrix
from stepbench.errors import UsageError

FILE = Path("cases.csv")


def problems_of(text: str) -> list[str]:
    FILE.write_text(text)
    with pytest.raises(UsageError) as caught:
        cases.resolve(matrix.read(FILE))
    return list(caught.value.problems)


def test_a_row_is_a_case_and_columns_are_named_as_one_types_settings() -> None:
    FILE.write_text(
        "\ufeffname,SERIALIZER,payload-mb,--compression,baseline\nsmall,json,1,,\nlarge,arrow,2.5,zstd,yes\n,,,,\n"
    )

    found = cases.resolve(matrix.read(FILE))

    assert [case.name for case in found.cases] == ["small", "large"]
    assert [case.settings.payload_mb for case in found.cases] == [1.0, 2.5]
    assert [case.settings.compression for case in found.cases] == ["none", "zstd:3"]
    assert found.baseline == "large"


def test_cases_without_a_name_are_called_after_what_they_differ_in() -> None:
    FILE.write_text("serializer,concurrency,steps\njson,1,3\narrow,4,3\n")

    assert [case.name for case in cases.resolve(matrix.read(FILE)).cases] == [
        "json concurrency 1",
        "arrow concurrency 4",
    ]


def test_all_that_is_wrong_is_told_at_once_with_file_row_and_column() -> None:
    told = problems_of('serializer,payload_mb,chains,concurrency\njsn,1,,\njson,0,,\n"json",1,1,2\n')

    assert [problem.partition(": ")[0] for problem in told] == [
        "cases.csv row 2, column SERIALIZER = jsn",
        "cases.csv row 3, column PAYLOAD_MB = 0",
        "cases.csv row 4",
    ]
    assert told[0].endswith("did you mean json?")
    assert "--chains (CHAINS): 1 cannot keep 2 in flight" in told[2]


def test_an_unknown_column_hides_no_wrong_value() -> None:
    told = problems_of("serialiser,serializer,payload_mb\njson,jsn,1\njson,json,0\n")

    assert [problem.partition(": ")[0] for problem in told] == [
        "cases.csv row 1, column 'serialiser'",
        "cases.csv row 2, column SERIALIZER = jsn",
        "cases.csv row 3, column PAYLOAD_MB = 0",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "cases.csv: holds no case"),
        ("serializer\n", "cases.csv: holds no case"),
        (
            "serialiser\njson\n",
            "column 'serialiser': 'serialiser' is no setting; did you mean SERIALIZER?",
        ),
        (
            "serializer,SERIALIZER\njson,csv\n",
            "row 1, column 'SERIALIZER': the same column stands there twice",
        ),
        ("serializer\njson,1\n", "cases.csv row 2: has 2 cells, and row 1 names 1 columns"),
        ("name,steps\na,1\na,2\n", "cases.csv row 3: is called 'a' as another case is (cases.csv row 2)"),
        ("steps\n1\n1\n", "cases.csv row 3: is called 'json none' as another case is (cases.csv row 2)"),
        (
            "steps,baseline\n1,yes\n2,yes\n",
            "cases.csv row 2 and cases.csv row 3 are both marked as baseline",
        ),
        ("steps,baseline\n1,maybe\n", "cases.csv row 2, column baseline = 'maybe': write yes in one row"),
        ("ORCH_BUCKET\nb\n", "--bucket (ORCH_BUCKET) is the same for a whole experiment"),
        ("serializer,materialize\nraw,rows\n", "cases.csv row 2: raw with --materialize rows is left out"),
        ('steps\n"1\n', "--matrix cases.csv: is no CSV in UTF-8"),
        (f"name,steps\n{'x' * 81},1\n", "cases.csv row 2, column name: the name"),
    ],
)
def test_what_cannot_be_a_matrix_is_told_in_a_sentence(text: str, told: str) -> None:
    assert any(told in problem for problem in problems_of(text))


def test_a_missing_file_is_told() -> None:
    with pytest.raises(UsageError, match=r"--matrix gone\.csv: cannot be read: No such file"):
        matrix.read(Path("gone.csv"))


@given(st.binary(max_size=60) | st.text(alphabet="namestp,\n\"'1 -\x00\r", max_size=60).map(str.encode))
def test_whatever_stands_in_the_file_it_is_a_request_or_a_sentence(data: bytes) -> None:
    FILE.write_bytes(data)
    problems: tuple[str, ...] = ()
    try:
        problems = matrix.read(FILE).problems
    except UsageError as error:
        problems = error.problems

    assert all(problem.isprintable() for problem in problems)
