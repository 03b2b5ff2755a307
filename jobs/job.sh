# What all job scripts share: to be sourced by them, which then call `run_job DRIVER… -- ARGUMENTS…`.
# Outside of a job, a job script submits itself with what the cluster profile says. Inside, it runs the driver, passes
# on the warning before the time limit, and requeues itself when the driver stopped with a checkpoint. docs/slurm.md
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/cluster_profile.sh"
source "$here/scratch.sh"
stopped=75  # exit code: stopped with a good checkpoint
restarts=${SLURM_RESTART_COUNT:-0}
warned=
trap 'warned=yes' USR1  # before there is a program to hand it to

say() { echo "rankflow job: $*" >&2; }

# A mistake in what was asked for: running again would not help.
refuse() {
  say "$*"
  exit 2
}

# Finds the program that this script belongs to, unless the profile names one.
find_program() {
  program=$(eval "echo \"${profile[program]}\"")
  if [ -z "$program" ]; then
    program=${RANKFLOW_PROGRAM:-$here/../build/release/rankflow}
    [ -x "$program" ] || program=$(command -v rankflow) || refuse "no program: neither $here/../build/release/rankflow \
nor rankflow in PATH; build it by jobs/build.sh, or name it in the cluster profile: program = \"…\""
  fi
  [ -x "$program" ] || refuse "the program '$program' of the cluster profile is not there or not executable"
}

# check_input DRIVER INPUT: it must be there before anything is queued.
check_input() {
  [ -n "$2" ] || refuse "rankflow $1 needs a file: sbatch jobs/NAME.sbatch FILE [options of rankflow]"
  [ -e "$2" ] || refuse "'$2' is not there, seen from $PWD (a job starts where sbatch was called)"
}

# prepare: modules, threads, and when the job will end.
prepare() {
  local end id=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}}
  job=${id:-$SLURM_JOB_ID}
  if [ -n "${profile[modules]}" ]; then
    command -v module >/dev/null || source /etc/profile >/dev/null 2>&1
    command -v module >/dev/null || refuse "the cluster profile asks for modules (${profile[modules]}), but there is no \
command 'module' on $(hostname -s)"
    module load ${profile[modules]} || refuse "module load ${profile[modules]} failed"
  fi
  eval "${profile[setup]}" || refuse "the cluster profile's setup failed: ${profile[setup]}"
  export OMP_NUM_THREADS=${profile[threads]} OPENBLAS_NUM_THREADS=${profile[threads]}
  [ -z "${SLURM_CPUS_PER_TASK:-}" ] || export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK
  # Second line of defence: the program knows the end of its job. Never the value that a submitting job had.
  unset SLURM_JOB_END_TIME
  end=$(SLURM_TIME_FORMAT=standard scontrol show job "$job" 2>/dev/null | sed -n 's/.* EndTime=\([^ ]*\).*/\1/p' | head -n 1)
  if end=$(date -d "$end" +%s 2>/dev/null); then
    export SLURM_JOB_END_TIME=$end
  fi
}

# Fills the array `launcher`. Ranks end together, in MPI_Finalize: one that is killed before it has met the others would
# leave them waiting for it, hence --wait.
choose_launcher() {
  local options
  read -ra options <<<"${profile[launcher_options]}"
  case ${profile[launcher]} in
    srun) launcher=(srun --mpi="${profile[mpi]}" --cpu-bind="${profile[binding]}" --wait=30 "${options[@]}") ;;
    mpirun) launcher=(mpirun -n "${SLURM_NTASKS:-1}" --bind-to "${profile[binding]%s}" "${options[@]}") ;;
    none) launcher=() ;;
  esac
}

# pass_on PROCESS: hands the warning to a launcher until it ends: one that is still starting its ranks may lose it. USR1
# is what launchers pass on to every rank; what TERM does to them differs.
pass_on() {
  while kill -USR1 "$1" 2>/dev/null; do sleep 5; done
}

# run_and_wait COMMAND…: its exit code in `code`. A shell heeds traps only while it waits, hence the background.
run_and_wait() {
  local child status caught messenger=""
  if [ -n "$warned" ]; then
    code=$stopped
    return
  fi
  code=127
  "$@" &
  child=$!
  trap 'caught=yes; warned=yes' USR1 TERM
  while :; do
    caught=
    if [ -n "$warned" ] && [ -z "$messenger" ]; then
      say "signal: stopping with a checkpoint"
      pass_on "$child" &
      messenger=$!
    fi
    wait "$child"
    status=$?
    [ $status -eq 127 ] || code=$status  # 127: had been waited for when the signal came
    [ -n "$caught" ] || break
  done
  trap '' USR1 TERM
  [ -z "$messenger" ] || kill "$messenger" 2>/dev/null
  # A program that is still starting dies of the signal; what it would have continued from is as it was.
  [ -z "$warned" ] || [ "$code" -ne $((128 + $(kill -l USR1))) ] || code=$stopped
}

# requeue: not when the job was cancelled; SLURM calls that and the end of a job's time COMPLETING alike.
requeue() {
  local state
  state=$(squeue -h -j "$job" -o %T 2>/dev/null)
  if [ "$state" != RUNNING ] && [ "$(date +%s)" -lt "${SLURM_JOB_END_TIME:-9999999999}" ]; then
    say "stopped; the job is ${state:-gone}, hence not requeued: submit again to continue"
    return
  fi
  if [ "$restarts" -ge "${profile[maximum_requeues]}" ]; then
    say "stopped, but requeued $restarts times already (maximum_requeues): submit again to continue"
  elif scontrol requeue "$job"; then
    say "stopped; requeued, continues by itself"
  else
    say "stopped; SLURM does not requeue it: submit again to continue"
  fi
}

# What is complete stays and what has begun continues, by the same command at every start; --overwrite holds for the first.
resume_unless_overwriting() {
  local kept=() word
  for word in "${arguments[@]}"; do
    if [ "$word" = --overwrite ]; then
      [ "$restarts" -gt 0 ] || return 0
    elif [ "$word" != --resume ]; then
      kept+=("$word")
    fi
  done
  arguments=("${kept[@]}" --resume)
}

# run_job DRIVER… -- ARGUMENTS…: of the template that sources this file. Where the driver's last word is a choice a|b,
# the first argument chooses.
run_job() {
  local driver=() options=() resumable=no choices asked
  while [ "$1" != -- ]; do
    driver+=("$1")
    shift
  done
  shift
  while [[ ${1:-} == --* ]]; do  # of sbatch: --nodes=2
    options+=("$1")
    shift
  done
  read_profile
  asked=("$@")
  choices=${driver[-1]}
  if [[ $choices == *'|'* ]]; then
    one_of "what to ${driver[0]}" "${1:-}" ${choices//|/ }
    driver[-1]=$1
    shift
  fi
  check_input "${driver[*]}" "${1:-}"
  [ -n "${SLURM_JOB_ID:-}" ] || submit "${options[@]}" -- "${asked[@]}"
  prepare
  find_program
  choose_launcher
  arguments=("$@") working=""
  case ${driver[*]} in
    "fit "* | simulate | "generate recording") resumable=yes ;;
  esac
  if [ $resumable = yes ]; then
    use_scratch "$@"
    resume_unless_overwriting
  fi
  say "$(date -u +%FT%TZ) start $((restarts + 1)) of ${driver[*]} on ${SLURM_JOB_NODELIST:-}${SLURM_JOB_END_TIME:+, until \
$(date -u -d "@$SLURM_JOB_END_TIME" +%FT%TZ)}"
  run_and_wait "${launcher[@]}" "$program" "${driver[@]}" "${arguments[@]}"
  if [ "$code" -eq 0 ]; then
    leave_scratch || code=$?
  elif [ "$code" -eq $stopped ]; then
    requeue
  else
    say "rankflow ${driver[*]} ended with exit code $code"
  fi
  exit "$code"
}
