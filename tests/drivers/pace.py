"""How long things take on this machine: tests that disturb a run need one that lasts, and neither too long."""
from support import folder, provenance, run

TRUSTED = 0.2  # s; what is shorter says little


def amount_for(seconds, work, amount):
    """How much of something takes about so many seconds here. `work(amount)` does it, and returns what it took. Of two
    tries the shorter one counts: whatever else the machine does only adds."""
    while True:
        took = min(work(amount), work(amount))
        if took >= min(TRUSTED, seconds / 2):
            return amount * seconds / took
        amount *= 4


def simulated_units(seconds, text, first=20):
    """For how many whole units of time a simulation takes so many seconds; `text`: its configuration, with
    `{duration}`; `first`: what to begin with."""
    return max(1, round(_of_command(seconds, text, "duration", first, ["simulate"])))


def fitted_epochs(seconds, text, data):
    """How many epochs a fit to the recording `data` trains in so many seconds; `text` has `{epochs}`."""
    return max(1, round(_of_command(seconds, text, "epochs", 20, ["fit", "vsmc"], "--set", f"data.file={data}")))


def _of_command(seconds, text, name, first, command, *options):
    with folder() as here:
        def work(amount):
            with open(f"{here}/pace.toml", "w", encoding="utf-8") as file:
                file.write(text.format(**{name: amount}))
            run("-q", *command, f"{here}/pace.toml", "-o", f"{here}/pace.h5", "--overwrite", *options)
            return float(provenance(f"{here}/pace.h5")["wall_seconds"])

        return amount_for(seconds, work, first)
