"""Digests of the images in deploy/compose: the registry is asked, and the files are written.

python -m tests.support.images    # `make image-digests`; wants a Docker with buildx
"""

import re
import subprocess
import sys
from pathlib import Path

import click

FOLDER = Path(__file__).parents[2] / "deploy" / "compose"
FILES = ("Dockerfile", "compose.yaml")
# an image of others: name:version, and its digest where it is written
IMAGE = re.compile(
    r"^((?:FROM|\s+image:) )([\w./-]+:[\w.-]+)(@sha256:[0-9a-f]{64})?(?=\s|$)", re.MULTILINE
)
ASK = ("docker", "buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}")


def images(folder: Path = FOLDER) -> dict[str, str]:
    """Each image of others that the files name, and its digest; empty where none is written."""
    found = {}
    for file in FILES:
        for _, name, digest in IMAGE.findall((folder / file).read_text(encoding="utf-8")):
            found[name] = digest.removeprefix("@")
    return found


def write_digests(folder: Path = FOLDER) -> dict[str, str]:
    """Ask for the digest of each image as it is now, and write it. Nothing is written when one
    cannot be had."""
    newest = {name: _ask(name) for name in images(folder)}
    for file in FILES:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        path.write_text(
            IMAGE.sub(lambda found: f"{found[1]}{found[2]}@{newest[found[2]]}", text),
            encoding="utf-8",
        )
    return newest


def _ask(image: str) -> str:
    told = subprocess.run([*ASK, image], capture_output=True, text=True)
    digest = told.stdout.strip()
    if told.returncode or not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        sys.exit(f"The registry gave no digest of {image}: {(told.stderr or digest).strip()}")
    return digest


if __name__ == "__main__":
    for image, digest in write_digests().items():
        click.echo(f"{image} {digest}")
