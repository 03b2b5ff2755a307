"""docs/configuration.md is what the program prints."""
import unittest

from support import SOURCE, main, run


class Reference(unittest.TestCase):
    def test_equal(self):
        page = SOURCE / "docs" / "configuration.md"
        self.assertEqual(page.read_text(), run("reference").stdout,
                         f"write it anew: rankflow reference > {page.relative_to(SOURCE)}")

    def test_names_the_keys_of_every_command(self):
        text = run("reference").stdout
        for key in ("checkpoint_every", "in_degree", "input_axes", "`inputs`", "bin_width", "restart_every"):
            self.assertIn(key, text)


main()
