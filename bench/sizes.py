"""What wheels take, packed and installed, by level: python bench/sizes.py dist/*.whl"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path
from zipfile import ZipFile


def part(name: str) -> str:
    """What a file of a wheel belongs to."""
    if "/libgomp" in name or "fusedloss.libs/" in name:
        return "OpenMP's library"
    level = re.match(r"fusedloss/_(v\d|base)\.", name)
    return f"kernels of {level[1]}" if level else "Python and the rest"


def sizes(wheel: Path) -> Counter[str]:
    """The bytes of each part of a wheel when it is installed."""
    found: Counter[str] = Counter()
    with ZipFile(wheel) as archive:
        for file in archive.infolist():
            found[part(file.filename)] += file.file_size
    return found


def main() -> None:
    for wheel in map(Path, sys.argv[1:]):
        found = sizes(wheel)
        print(wheel.name)
        print(f"  {'packed':20}{wheel.stat().st_size / 1e6:7.2f} MB")
        print(f"  {'installed':20}{found.total() / 1e6:7.2f} MB")
        for name, size in sorted(found.items()):
            print(f"    {name:18}{size / 1e6:7.2f} MB")


if __name__ == "__main__":
    main()
