"""One .env for a shell, docker and systemd: what they read differently is refused."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from stripe_connector.__main__ import _COMMANDS, main
from stripe_connector.ops import serve
from stripe_connector.settings import ConfigurationError, Settings, Variable, load_settings
from stripe_connector.settings.env_file import read_env_file
from tests.unit.env_readers import GENERATOR, Variables, docker, shell, systemd, systemd_itself
from tests.unit.test_settings import REQUIRED

ROOT = Path(__file__).parents[2]
JSON = '{"GB":{"captureMethod":"manual"},"NL":{"flowType":"pi_first"}}'
HARD = [
    *(f"a{each}b" for each in string.punctuation if each != "'"),
    *(f"{each}" for each in string.punctuation if each != "'"),
    *(
        "",
        "two words",
        "  kept  ",
        "a#b",
        "a #b",
        "$HOME",
        "${HOME}",
        "`id`",
        "\\n",
        "a\\",
        "é€",
        "%h",
    ),
    *(
        "a=b",
        '"quoted"',
        "~",
        "~/x",
        "!!",
        "a;b",
        "a&&b",
        "(a)",
        "[a]",
        "{a,b}",
        JSON,
        "*",
        "x" * 4000,
    ),
]


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "some.env"
    file.write_text(text)
    return file


@pytest.fixture
def hard(tmp_path: Path) -> Path:
    """Every character that means something to somebody, in the form that the page describes."""
    lines = [f"HARD_{number}='{value}'" for number, value in enumerate(HARD)]
    return written(tmp_path, "\n".join(["# All that is hard", "", *lines, ""]))


EXPECTED = {f"HARD_{number}": value for number, value in enumerate(HARD)}


def as_setting(variables: Variables) -> dict[str, str | None]:
    """Values as the settings take them: without blanks and quotes around."""
    return {
        name: Variable(name=name, parse=str, meaning="", may_be_blank=True).find(variables)[1]
        for name in variables
    }


def test_the_loader_reads_every_value_as_it_was_meant(hard: Path) -> None:
    assert read_env_file(hard) == EXPECTED


@pytest.mark.parametrize("program", ["bash", "sh"])
def test_a_shell_reads_the_same(hard: Path, program: str) -> None:
    assert shell(hard, program) == EXPECTED


def test_systemd_reads_the_same(hard: Path) -> None:
    assert systemd(hard) == EXPECTED


def test_docker_reads_the_same_but_for_the_quotes_which_settings_take_off(hard: Path) -> None:
    assert as_setting(docker(hard)) == as_setting(EXPECTED)


if GENERATOR.exists():  # where systemd is not installed, its rules alone are followed

    def test_systemds_own_parser_agrees_with_its_rules(hard: Path, tmp_path: Path) -> None:
        itself = systemd_itself(hard, tmp_path / "xdg")
        # Its generator replaces $NAME, other than EnvironmentFile=, drops what is empty, and prints
        # ~ so that a shell takes it for a home.
        same = {name: value for name, value in EXPECTED.items() if re.match(r"[^~$][^$]*$", value)}
        assert {name: itself[name] for name in same} == same


def test_the_example_is_read_alike_by_all() -> None:
    example = ROOT / ".env.example"
    read = read_env_file(example)
    assert read["ALLOWED_ORIGINS"] == "http://localhost:3000"
    assert read == shell(example) == systemd(example) == docker(example)


@pytest.mark.parametrize(
    "line",
    [
        'A={"a":"b"}',
        'A="a b"',
        "A=a b",
        "A=a # b",
        "A=a\\b",
        "A=$HOME",
        "A='a'b",
        "A='a",
        "A='it'\\''s'",
        "export A=b",
        "A = b",
        "A='b' # c",
        "# a comment \\\nA=b",
        "; a comment\nA=b",
        "A='two\nlines'",
        "A=b\r",
    ],
)
def test_what_they_read_differently_is_refused_by_its_line(tmp_path: Path, line: str) -> None:
    file = written(tmp_path, f"# first\n{line}\n")
    with pytest.raises(ConfigurationError) as refused:
        read_env_file(file)
    assert all(problem.startswith(f"{file}, line ") for problem in refused.value.problems)
    readings = [shell(file), as_setting(docker(file)), systemd(file)]
    assert any(reading != readings[0] for reading in readings), "it might have been taken"


@pytest.mark.parametrize("line", ["A=~/x", "A=a*", "1A=b", "A", "=b", "A-B=c", "A=`id`", "A=a;id"])
def test_what_not_all_take_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigurationError, match="line 1"):
        read_env_file(written(tmp_path, line))


def test_no_value_is_in_a_message(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_env_file(written(tmp_path, "STRIPE_SECRET_KEY=sk_test_$hush\nB=hush'\nC hush\n"))
    assert len(refused.value.problems) == 3
    assert "hush" not in str(refused.value)


def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="line 2: A is already set above"):
        read_env_file(written(tmp_path, "A=b\nA=c\n"))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.env cannot be read: No such file"):
        read_env_file(tmp_path / "none.env")
    (tmp_path / "latin.env").write_bytes("A='é'".encode("latin-1"))
    with pytest.raises(ConfigurationError, match="must be UTF-8 text"):
        read_env_file(tmp_path / "latin.env")


@pytest.fixture
def complete(tmp_path: Path) -> Path:
    values = {**REQUIRED, "STRIPE_PAYMENT_BEHAVIOR_RULES": JSON}
    return written(tmp_path, "".join(f"{name}='{value}'\n" for name, value in values.items()))


@pytest.mark.parametrize("read", [shell, docker, systemd])
def test_the_settings_are_the_same_whoever_read_the_file(
    complete: Path, read: Callable[[Path], Variables]
) -> None:
    settings = load_settings(read(complete))
    assert settings == load_settings(read_env_file(complete))
    assert settings.stripe_payment_behavior_rules["GB"].capture_method == "manual"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """What a processor would have been started with."""
    found: list[Settings] = []

    def app(settings: Settings, **_: object) -> None:
        found.append(settings)

    def run(create: Callable[[Any], None], **_: object) -> int:
        create(None)
        return 0

    monkeypatch.setattr(serve, "create_app", app)
    monkeypatch.setattr(serve, "run", run)
    for name in REQUIRED:
        monkeypatch.delenv(name, raising=False)
    return found


def test_the_environment_comes_before_the_file(
    complete: Path, served: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTP_PROJECT_KEY", "another-shop")
    result = CliRunner().invoke(main, ["serve", "--env-file", str(complete)])
    assert result.exit_code == 0, result.output
    assert served[0].ctp_project_key == "another-shop"
    assert served[0].stripe_secret_key == REQUIRED["STRIPE_SECRET_KEY"]


def test_a_file_that_is_not_usable_ends_like_an_environment_that_is_not(
    tmp_path: Path, served: list[Settings]
) -> None:
    file = written(tmp_path, "export A=b\n")
    result = CliRunner().invoke(main, ["serve", "--env-file", str(file)])
    assert result.exit_code == 2
    assert f"{file}, line 1" in result.output
    assert served == []


@pytest.mark.parametrize("name", list(_COMMANDS))
def test_every_command_takes_a_file(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert any("--env-file" in parameter.opts for parameter in command.params)
