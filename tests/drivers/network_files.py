"""What tests of commands that read network files share."""
import pathlib
import re
import shlex
import subprocess
import unittest

from support import EXAMPLES, SOURCE, folder, run

NETWORK = EXAMPLES / "preset_network.toml"


class NetworkFiles(unittest.TestCase):
    """Each test has a folder of its own."""

    def setUp(self):
        where = folder()
        self.addCleanup(where.cleanup)
        self.here = pathlib.Path(where.name)

    def network(self, name, *sets):
        path = self.here / f"{name}.h5"
        run("-q", "generate", "network", NETWORK, "-o", path, *(word for item in sets for word in ("--set", item)))
        return path

    def draw(self, report):
        """That docs/figures/plot_analysis.py makes a picture of a file."""
        picture = report.with_suffix(".png")
        subprocess.run(["/usr/bin/python3", SOURCE / "docs" / "figures" / "plot_analysis.py", report, picture], check=True)
        self.assertEqual(b"\x89PNG", picture.read_bytes()[:4])

    def run_commands_of(self, page, least):
        """Runs the commands of a page that name no placeholder; there must be some."""
        lines = re.findall(r"^    (rankflow .*)$", (SOURCE / "docs" / page).read_text(), re.MULTILINE)
        commands = [shlex.split(line)[1:] for line in lines if "[" not in line]
        self.assertGreaterEqual(len(commands), least)
        for command in commands:
            run(*(word.replace("examples/", f"{EXAMPLES}/") for word in command), cwd=self.here)
