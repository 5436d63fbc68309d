"""Switch params.yaml to a recipe: the drawn one, and the changes to it that recipes/NAME.yaml says.

With --overrides, print them for `dvc exp run` instead of writing, quoted as a shell or xargs reads:
python tools/recipe.py photos-small --archive some.zip --overrides | xargs dvc exp run
"""

from __future__ import annotations

import io
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from ruamel.yaml import YAML

from convlens import params
from convlens.data import sources
from convlens.data.folder import listing
from convlens.data.names import printable
from convlens.errors import InputError
from convlens.files import atomic, sha256, write_text
from convlens.paths import PARAMS
from convlens.progress import console

RECIPES = Path("recipes")
BASE = RECIPES / "drawn.yaml"
PACKED = Path("data/packed.zip")


@click.command(help=__doc__)
@click.argument("name", type=click.Choice(sorted(path.stem for path in RECIPES.glob("*.yaml"))))
@click.option(
    "--archive",
    type=click.Path(path_type=Path),
    help="a local folder, or a zip or tar to be pinned",
)
@click.option("--overrides", is_flag=True, help="print -S options, write nothing")
def main(name: str, archive: Path | None, overrides: bool) -> None:
    """Write params.yaml, or print the changes."""
    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, 120
    yaml.representer.add_representer(type(None), lambda dumper, _: _null(dumper))
    tree = yaml.load(BASE)
    try:
        changes = _changes(name, archive)
        for key, value in changes.items():
            params.put(tree, key, value, RECIPES / f"{name}.yaml")
        params.check(_plain(tree), RECIPES / f"{name}.yaml")
        if overrides:
            click.echo(" ".join(map(_quoted, overrides_between(params.tree(PARAMS), _plain(tree)))))
            return
    except InputError as error:
        sys.exit(f"recipe: {error}")
    text = io.StringIO()
    yaml.dump(tree, text)
    write_text(PARAMS, text.getvalue())
    click.echo(f"params.yaml is now recipe {name}")


def overrides_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the options that make `dvc exp run` turn one tree of parameters into another."""
    old = dict(params.flat(before))
    changed = {
        key: value for key, value in params.flat(after) if key not in old or old[key] != value
    }
    for key in changed:
        if not re.fullmatch(r"[\w.-]+", key):
            raise InputError(
                key, expected="a key that `dvc exp run -S` reads", found="a net with + or : in it",
                fix="change params.yaml itself (recipe.py without --overrides), then `dvc exp run`",
            )  # fmt: skip
    keys = {key: key if key in old else f"+{key}" for key in changed}  # Hydra's sign of a new key
    return [word for key in changed for word in ("-S", f"{keys[key]}={_word(changed[key])}")]


def _changes(name: str, archive: Path | None) -> dict[str, Any]:
    recipe = RECIPES / f"{name}.yaml"
    changes = {} if recipe == BASE else dict(params.flat(params.tree(recipe)))
    if archive is None:
        return changes
    archive = archive.expanduser().resolve()  # the queue of experiments runs in another folder
    if archive.is_dir():
        watched = archive if _watchable(archive) else _packed(archive)
        return changes | {"data.source": "archive", "data.archive": str(watched)}
    if not archive.is_file():
        raise InputError(
            archive, expected="an archive of photos", found="no such file", fix="mend the path"
        )
    pinned = {"data.archive": str(archive), "data.sha256": sha256(archive)}
    return changes | {"data.source": "archive"} | pinned


def _watchable(folder: Path) -> bool:
    """Return whether DVC sees every change in `folder`, and can read it at all.

    It follows no links to folders, and gives up at a broken link or a name that is not UTF-8.
    """
    found = listing(folder)
    plain = all(name == path.relative_to(folder).as_posix() for name, path in found.files.items())
    return plain and not (found.faults or found.unread or found.links)


def _packed(folder: Path) -> Path:
    with atomic(PACKED.resolve()) as partial:
        sources.pack_whole(folder, partial, 1.0, console)
    click.echo(
        f"{printable(folder)} has links or names that DVC can't watch, so its photos were packed "
        f"into {PACKED}; run this again when they change",
        err=True,
    )
    return PACKED.resolve()


def _plain(tree: Any) -> Any:
    text = io.StringIO()
    YAML().dump(tree, text)
    return YAML(typ="safe").load(text.getvalue())


def _null(dumper: Any) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:null", "null")


def _word(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_word, value))}]"  # without blanks: the shell splits at them
    if value is None:
        return "null"
    if isinstance(value, str) and not re.fullmatch(r"[\w./:+-]+", value):
        escaped = value.replace("'", r"\'")
        return f"'{escaped}'"  # Hydra, which reads them, would take the signs for its own
    return f"{value}".lower() if isinstance(value, bool) else f"{value}"


def _quoted(word: str) -> str:
    """Quote a word for a shell, if it has what a shell would change; lists stay readable."""
    return word if re.fullmatch(r"[\w./:+=,\[\]-]+", word) else shlex.quote(word)


if __name__ == "__main__":
    main()
