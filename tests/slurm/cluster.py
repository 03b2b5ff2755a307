"""A SLURM of its own for a test, and what the tests ask of it.

Every script is called as `script.py RANKFLOW MPIEXEC SOURCE_FOLDER`; what runs the program itself comes from
tests/drivers/support.py.
"""
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "drivers"))
from support import RANKFLOW, SKIPPED, SOURCE  # noqa: E402

JOBS = SOURCE / "jobs"
FINISHED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE"}

# slurmd needs root; without it the tests are skipped loudly, in CI they fail.
if os.geteuid() != 0:
    message = "NOT ROOT: no SLURM can be brought up, this test was not run"
    if os.environ.get("CI") == "true":
        raise AssertionError(message)
    print(message, file=sys.stderr)
    sys.exit(SKIPPED)


PATIENCE = 3  # of a busy machine: nothing is judged by how long it took


def until(condition, seconds, what):
    """Waits for a condition that returns something true, and returns that; `seconds`: more than an idle machine needs."""
    seconds *= PATIENCE
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")


class Cluster:
    """Four fake nodes for the length of a `with`; they end with this process, whatever ends it."""

    def __init__(self, folder, cpus=2, tasks="none"):
        """`folder` exists; jobs write their logs there. `cpus`: of each node, as far as SLURM is concerned. `tasks`:
        "affinity" for ranks that stay on their processors."""
        self.folder = pathlib.Path(folder)
        self.cpus = cpus
        self.tasks = tasks
        self.state = self.folder / "slurm"

    def __enter__(self):
        self.folder.chmod(0o711)  # munged refuses a socket that others cannot reach
        self.keeper = subprocess.Popen([HERE / "cluster.sh", self.state], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True, start_new_session=True,
                                       env={**os.environ, "SLURM_FIXTURE_CPUS": str(self.cpus),
                                            "SLURM_FIXTURE_TASKS": self.tasks})
        if self.keeper.stdout.readline() != "ready\n":
            self.__exit__()
            raise AssertionError(f"no SLURM came up; the fixture ended with {self.keeper.returncode}")
        self.started = time.monotonic()
        told = subprocess.run(["bash", "-c", f"source {self.state}/env.sh && env -0"], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        self.environment = dict(entry.split("=", 1) for entry in told.split("\0") if entry)
        self.environment["RANKFLOW_CLUSTER"] = str(self.profile())
        return self

    def __exit__(self, *_):
        self.keeper.communicate(timeout=180)  # closes its standard input, for which it waits

    def profile(self, name="cluster.toml", **settings):
        """Writes a cluster profile for these nodes, whose ranks outnumber the cores."""
        settings = {"program": RANKFLOW, "binding": "none", **settings}
        path = self.folder / name
        path.write_text("".join(f'{key} = "{value}"\n' for key, value in settings.items()))
        return path

    def command(self, *words, expect=0, **settings):
        """Runs a command that talks to this SLURM; its output without the last line break."""
        done = subprocess.run([str(word) for word in words], env={**self.environment, **settings}, cwd=self.folder,
                              timeout=180, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if expect is not None and done.returncode != expect:
            raise AssertionError(f"{words}\nended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout.rstrip("\n") if expect is not None else done

    def sbatch(self, *words, **settings):
        """Submits; the job's number."""
        return self.command("sbatch", "--parsable", *words, **settings)

    def rankflow(self, *words, **settings):
        """Runs the program; what it says on standard error."""
        return self.command(RANKFLOW, *words, expect=None, **settings).stderr

    def about(self, job):
        """What scontrol says of a job: {name: value}."""
        text = self.command("scontrol", "-o", "show", "job", job)
        return dict(word.split("=", 1) for word in text.split() if "=" in word)

    def finished(self, job, seconds=60):
        """Waits until the job is over; what scontrol says of it."""
        def over():
            said = self.about(job)
            return said if said["JobState"] in FINISHED else None
        return until(over, seconds, lambda: f"end of job {job}: {self.about(job)}\n{self.logs()}")

    def logs(self):
        """Everything that jobs wrote, for the message of a failure."""
        return "\n".join(f"--- {path}\n{path.read_text(errors='replace')}" for path in sorted(self.folder.glob("*.log")))

    def until_look(self, before):
        """Whole seconds until `before` s before SLURM looks at time limits, which it does every 30 s."""
        return max(1, round((30 - before - (time.monotonic() - self.started)) % 30))

    def on_node(self, name, also=frozenset()):
        """Process numbers of what jobs run on a node: scripts, launchers, programs; `also`: b"NAME=value" of their
        environment."""
        wanted = {f"SLURMD_NODENAME={name}".encode(), f"SLURM_CONF={self.state}/slurm.conf".encode(), *also}
        return [pid for pid, environment in environments() if wanted <= environment]

    def lose_node(self, name):
        """Kills everything on a node, and tells the scheduler, which would notice it after a minute."""
        kill(int((self.state / "pid" / f"slurmd.{name}").read_text()))
        tasks = self.on_node(name)
        for keeper in {parent for parent in map(parent_of, tasks) if parent and "slurmstepd" in name_of(parent)}:
            kill(keeper)  # first, so that it does not report how the tasks ended
        for task in tasks:
            kill(task)
        self.command("scontrol", "update", f"nodename={name}", "state=down", "reason=killed")


def environments():
    """(process number, {b"NAME=value"}) of all processes that can be looked at."""
    for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            yield int(path.parent.name), set(path.read_bytes().split(b"\0"))
        except OSError:  # ended meanwhile
            continue


def parent_of(pid):
    """0 when it has ended."""
    try:
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""


def kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
