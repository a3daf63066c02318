"""Copy what nothing can make again from one lake to another, each file with its time: it is a loose file's evidence of
its year. Everything else is made from it by `tiktok-assets rebuild`.

    python deploy/copy_lake.py data s3://bucket/data
    python deploy/copy_lake.py s3://bucket/data data

Endpoint and credentials come from the variables AWS_*. Files that are there already stay as they are: a copy that was
interrupted continues.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from upath import UPath

from tiktok_assets.settings import load_settings
from tiktok_assets.storage import objects
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.look import entries_below

FOLDERS = ("landing", "archive", "quarantine", "statements")


def place_of(text: str) -> UPath:
    return load_settings(data_dir=text if "://" in text else Path(text).absolute()).data_dir


def names_in(place: UPath) -> set[str]:
    """The files in the folders that are copied, below a lake."""
    return {f"{folder}/{name}" for folder in FOLDERS for name in entries_below(place / folder)}


def upload(source: UPath, target: UPath, name: str) -> None:
    objects.write(target / name, Path(source / name))


def download(source: UPath, target: UPath, name: str) -> None:
    file = Path(target / name)
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_name(f".{file.name}.part")
    objects.download(source / name, scratch)
    scratch.replace(file)


def main(source: UPath, target: UPath) -> None:
    if objects.is_object(source) == objects.is_object(target):
        sys.exit("One of the two has to be a folder, the other an address s3://bucket/folder.")
    names = names_in(source)
    missing = sorted(names - names_in(target))
    with Lake(load_settings(data_dir=str(target))).changes.marked(*(target / name for name in missing)):
        objects.at_once(partial(upload if objects.is_object(target) else download, source, target), missing)
    print(f"{source} to {target}: {len(missing)} files copied, {len(names) - len(missing)} were there.")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*map(place_of, sys.argv[1:]))
