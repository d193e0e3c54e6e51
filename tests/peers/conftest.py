"""What imports torch is not looked into for doctests where there is none."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("torch") else ["textbook.py"]
