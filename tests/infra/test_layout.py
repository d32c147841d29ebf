"""infra/ is laid out as terraform's public modules are, and says of every variable and output what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.docs.tree import ROOT
from scripts.infra import readme_tables
from scripts.infra.hcl import Block, blocks, literal

INFRA = ROOT / "infra"
FOLDERS = [INFRA, *sorted((INFRA / "modules").iterdir())]
BY_NAME = {folder.relative_to(ROOT).as_posix(): folder for folder in FOLDERS}


def of_kind(folder: Path, kind: str) -> list[Block]:
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.tf"))]
    return [block for text in texts for block in blocks(text) if block.kind == kind]


@pytest.mark.parametrize("name", BY_NAME)
def test_every_module_has_the_files_that_one_looks_for(name: str) -> None:
    files = {path.name for path in BY_NAME[name].iterdir()}
    assert files >= {"README.md", "main.tf", "variables.tf", "outputs.tf", "versions.tf"}


@pytest.mark.parametrize("name", BY_NAME)
def test_every_variable_has_a_type_a_description_and_a_validation(name: str) -> None:
    for variable in of_kind(BY_NAME[name], "variable"):
        assert variable.text("description"), variable.labels
        kind = variable.written("type")
        assert kind is not None, variable.labels
        # a bool has no wrong values but those that its type refuses
        validated = any(inner.kind == "validation" for inner in variable.inner())
        assert validated or kind == "bool", variable.labels


@pytest.mark.parametrize("name", BY_NAME)
def test_every_output_is_described(name: str) -> None:
    assert all(output.text("description") for output in of_kind(BY_NAME[name], "output"))


@pytest.mark.parametrize("name", BY_NAME)
def test_every_module_asks_for_the_same_versions(name: str) -> None:
    assert (BY_NAME[name] / "versions.tf").read_text(encoding="utf-8") == (INFRA / "versions.tf").read_text(
        encoding="utf-8"
    )


def test_the_root_and_its_modules_agree_on_defaults() -> None:
    defaults = {variable.labels[0]: variable.written("default") for variable in of_kind(INFRA, "variable")}
    for folder in FOLDERS[1:]:
        for variable in of_kind(folder, "variable"):
            name, written = variable.labels[0], variable.written("default")
            if written is not None and defaults.get(name) is not None:
                assert literal(written) == literal(defaults[name] or ""), f"{folder.name}: {name}"


MODULE = """
terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 6.0"
    }
  }
}

# A brace in a comment { is none.
variable "two_words" {
  description = "What it is; see other_name and `code_name`."
  type = object({
    a = string
  })
  default = { b = ["x", "}"], a = 1 }
}

variable "asked" {
  type = number
}

resource "aws_sqs_queue" "this" {
  name = "a-${var.asked}"
}

data "aws_region" "current" {}

module "part" {
  source = "./part"
}

output "url" {
  description = "Where it is."
  value       = aws_sqs_queue.this.url
}
"""

TABLES = """## Requirements

| Name | Version |
|------|---------|
| <a name="requirement_terraform"></a> [terraform](#requirement\\_terraform) | >= 1.9 |
| <a name="requirement_aws"></a> [aws](#requirement\\_aws) | >= 5.80, < 6.0 |

## Providers

| Name | Version |
|------|---------|
| <a name="provider_aws"></a> [aws](#provider\\_aws) | >= 5.80, < 6.0 |

## Modules

| Name | Source | Version |
|------|--------|---------|
| <a name="module_part"></a> [part](#module\\_part) | ./part | n/a |

## Resources

| Name | Type |
|------|------|
| [aws_sqs_queue.this](https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/sqs_queue) | resource |
| [aws_region.current](https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/region) | data source |

## Inputs

| Name | Description | Type | Default | Required |
|------|-------------|------|---------|:--------:|
| <a name="input_asked"></a> [asked](#input\\_asked) | n/a | `number` | n/a | yes |
| <a name="input_two_words"></a> [two\\_words](#input\\_two\\_words) | What it is; see other\\_name and `code_name`. | <pre>object({<br/>    a = string<br/>  })</pre> | <pre>{<br/>  "a": 1,<br/>  "b": [<br/>    "x",<br/>    "}"<br/>  ]<br/>}</pre> | no |

## Outputs

| Name | Description |
|------|-------------|
| <a name="output_url"></a> [url](#output\\_url) | Where it is. |"""  # noqa: E501 # as terraform-docs prints them


def test_tables_are_those_that_terraform_docs_prints() -> None:
    assert readme_tables.tables({"main.tf": MODULE}) == TABLES


def test_a_module_of_nothing_says_so() -> None:
    assert readme_tables.tables({}).count("No ") == 6
