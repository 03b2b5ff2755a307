#!/usr/bin/env bash
# A real SLURM on this one host for as long as standard input stays open: munged, slurmctld and several slurmd ("fake
# nodes" node0, node1, …), as root, without systemd, cgroups, a database, or anything under /etc, /run or /var.
#   usage: tests/slurm/cluster.sh DIRECTORY     DIRECTORY is made, and removed at the end; its path has no blank
# Prints "ready" when all nodes are idle; then `source DIRECTORY/env.sh` in another shell gives sbatch, srun, …
# At the end of standard input, or at SIGTERM, SIGINT or SIGHUP, everything that was started is stopped; whoever holds
# the other end of the pipe may therefore be killed. If this script itself is killed, the kernel stops the daemons.
# environment: SLURM_FIXTURE_NODES=4  SLURM_FIXTURE_CPUS=2 (each)  SLURM_FIXTURE_WAIT=30 (s)
#   SLURM_FIXTURE_TASKS=none, or affinity: ranks stay on their processors, of which this host then needs as many
set -euo pipefail
[ $# -eq 1 ] || { sed -n '4s/^# *//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/configuration.sh"
nodes=${SLURM_FIXTURE_NODES:-4}
cpus=${SLURM_FIXTURE_CPUS:-2}
wait=${SLURM_FIXTURE_WAIT:-30}
directory=
pids=()  # "pid name" of every daemon, in the order of their start

say() { echo "slurm fixture: $*" >&2; }

fail() {
  say "$*"
  local log
  for log in "$directory"/log/*; do
    [ -s "$log" ] && { echo "--- $log"; tail -n 15 "$log"; } >&2
  done
  exit 1
}

# still PID NAME: whether it is the daemon that was started, and not a number used again.
still() { [ "$(cat "/proc/$1/comm" 2>/dev/null)" = "${2%%.*}" ]; }

# start NAME COMMAND…: in the foreground mode of the daemon; the kernel ends it when this shell dies.
start() {
  local name=$1
  shift
  setpriv --pdeathsig KILL "$@" </dev/null >"$directory/log/$name.out" 2>&1 &
  pids+=("$! $name")
  disown $!  # its end is not to be reported
  echo $! >"$directory/pid/$name"
}

# What runs with our configuration after the daemons are gone: job steps, and commands that wait for them.
leftovers() {
  local environment pid
  for environment in /proc/[0-9]*/environ; do
    pid=${environment//[!0-9]/}
    if [ "$pid" != $$ ] && grep -qzxF "SLURM_CONF=$directory/slurm.conf" "$environment" 2>/dev/null; then
      echo "$pid"
    fi
  done
}

stop() {
  trap '' TERM INT HUP
  set +e
  local daemon victims
  if [ -n "${SLURM_CONF:-}" ] && timeout 5 scontrol ping >/dev/null 2>&1; then
    timeout 5 scancel --state=PENDING --user=root 2>/dev/null
    timeout 5 scancel --signal=KILL --full --user=root 2>/dev/null
    timeout 5 scancel --user=root 2>/dev/null
    for ((i = 0; i < 30; i++)); do
      [ -z "$(timeout 5 squeue -h 2>/dev/null)" ] && break
      sleep 0.1
    done
  fi
  for ((d = ${#pids[@]} - 1; d >= 0; d--)); do
    daemon=${pids[d]}
    still $daemon && kill -KILL "${daemon% *}"
  done
  for ((i = 0; i < 50; i++)); do
    victims=$(leftovers)
    [ -z "$victims" ] && break
    kill -KILL $victims 2>/dev/null
    sleep 0.1
  done
  rm -rf "$directory" "$memory"
}

for command in munged slurmctld slurmd sinfo; do
  command -v $command >/dev/null || { say "$command is not installed: jobs/install_dependencies.sh"; exit 1; }
done
[ "$(id -u)" = 0 ] || { say "needs root: slurmd runs jobs as other users"; exit 1; }
getent hosts "$(hostname -s)" >/dev/null || { say "the host name $(hostname -s) does not resolve: add it to /etc/hosts"; exit 1; }
[ ! -e "$1" ] || { say "$1 exists"; exit 1; }
mkdir -p "$1"
directory=$(cd "$1" && pwd)
memory=/dev/shm/rankflow-slurm.$(cksum <<<"$directory" | cut -d' ' -f1)  # a folder for each fake node
trap stop EXIT
trap 'exit 1' TERM INT HUP
mkdir "$directory"/{pid,log,state,munge}
chmod 755 "$directory" "$directory/munge"
chmod 700 "$directory/state" "$directory/log"
port=$(free_ports $((nodes + 1)))
for ((n = 0; n < nodes; n++)); do
  mkdir -p "$directory"/{state/spool,tmp}/node$n "$memory/node$n"
done
write_configuration "$directory" "$memory" "$nodes" "$cpus" "$port"
export SLURM_CONF=$directory/slurm.conf

(umask 077 && head -c 1024 /dev/urandom >"$directory/munge/key")
munge=$directory/munge
start munged munged --foreground --key-file="$munge/key" --socket="$munge/sock" --pid-file="$munge/pid" \
  --log-file="$munge/log" --seed-file="$munge/seed" --num-threads=4
for ((i = 0; i < wait * 20; i++)); do
  munge -n -S "$munge/sock" 2>/dev/null | unmunge -S "$munge/sock" >/dev/null 2>&1 && break
  still ${pids[0]} || [ $i -lt 20 ] || fail "munged died"
  sleep 0.05
done

start slurmctld slurmctld -D -i -f "$SLURM_CONF"
for ((n = 0; n < nodes; n++)); do
  start slurmd.node$n slurmd -D -N node$n -f "$SLURM_CONF"
done

for ((i = 0; ; i++)); do
  idle=$(sinfo -h -N -t idle -o %N 2>/dev/null | wc -l) || idle=0
  [ "$idle" = "$nodes" ] && break
  [ $i -lt $((wait * 10)) ] || fail "only $idle of $nodes nodes came up in $wait s"
  for daemon in "${pids[@]}"; do
    still $daemon || [ $i -lt 10 ] || fail "${daemon#* } died"
  done
  sleep 0.1
done
echo ready
# The shell heeds signals during `wait`, but not during `read`.
cat <&0 >/dev/null &
wait $!
