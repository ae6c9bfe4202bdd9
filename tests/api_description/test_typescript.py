"""Tests of the TypeScript types that openapi-typescript generates from the OpenAPI document."""

import shutil
from pathlib import Path

from tests.api_description.files import OPENAPI
from tests.api_description.tools import run_tool

PROGRAM = Path(__file__).with_name("flow.ts")


def test_the_types_compile_and_refuse_what_the_api_would_refuse(tmp_path: Path) -> None:
    shutil.copy(PROGRAM, tmp_path)
    made = run_tool("openapi-typescript", OPENAPI, "--default-non-nullable=false", "--output", tmp_path / "unite.ts")
    assert made.returncode == 0, made.stdout + made.stderr

    compiled = run_tool(
        "tsc",
        "--noEmit",
        "--strict",
        "--target",
        "es2022",
        "--lib",
        "es2022,dom",
        "flow.ts",
        "unite.ts",
        folder=tmp_path,
    )

    assert compiled.returncode == 0, compiled.stdout
