# The cluster profile, and submission with what it says; to be sourced by job.sh.

# Keys of a cluster profile with their defaults.
declare -A profile=(
  [partition]="" [account]="" [qos]="" [constraint]="" [time]="" [sbatch_options]=""
  [modules]="" [setup]="" [program]="" [launcher]="srun" [mpi]="pmix" [launcher_options]="" [binding]="cores"
  [threads]="1" [scratch]="" [maximum_requeues]="50"
)

# one_of NAME VALUE ALLOWED…: refuses other values.
one_of() {
  local name=$1 value=$2
  shift 2
  [[ " $* " == *" $value "* ]] || refuse "$name is '$value'; possible: $*"
}

# The cluster profile: lines `key = "value"` of a TOML file.
read_profile() {
  local file=${RANKFLOW_CLUSTER:-${XDG_CONFIG_HOME:-${HOME:-}/.config}/rankflow/cluster.toml} line number=0 key known
  local pattern='^([a-z_]+) *= *"([^"]*)" *(#.*)?$'
  if [ ! -r "$file" ]; then
    [ -z "${RANKFLOW_CLUSTER:-}" ] ||
      refuse "RANKFLOW_CLUSTER names the cluster profile '$file', which cannot be read; unset it or correct it"
    return 0
  fi
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    line=${line#"${line%%[![:space:]]*}"}
    [[ -z $line || $line == '#'* ]] && continue
    [[ $line =~ $pattern ]] || refuse "$file:$number: expected key = \"value\", found: $line"
    key=${BASH_REMATCH[1]}
    if [ -z "${profile[$key]+known}" ]; then
      known=$(printf '%s\n' "${!profile[@]}" | sort | paste -sd ' ')
      refuse "$file:$number: unknown key '$key'; known: $known"
    fi
    profile[$key]=${BASH_REMATCH[2]}
  done <"$file"
  one_of "$file: launcher" "${profile[launcher]}" srun mpirun none
  one_of "$file: binding" "${profile[binding]}" cores none
  for key in threads maximum_requeues; do
    [[ ${profile[$key]} =~ ^[0-9]+$ ]] || refuse "$file: $key must be a whole number, found '${profile[$key]}'"
  done
}

# submit OPTION… -- ARGUMENTS…: `script` with options of sbatch; --print only shows the command.
submit() {
  local key options=() words printing=no
  for key in partition account qos constraint time; do
    [ -z "${profile[$key]}" ] || options+=("--$key=${profile[$key]}")
  done
  read -ra words <<<"${profile[sbatch_options]}"
  options+=("${words[@]}")
  while [ "$1" != -- ]; do
    if [ "$1" = --print ]; then printing=yes; else options+=("$1"); fi
    shift
  done
  shift
  if [ $printing = yes ]; then
    echo "sbatch ${options[*]} $script $*"
    exit 0
  fi
  command -v sbatch >/dev/null || refuse "no SLURM here: sbatch is not in PATH. Log in to the cluster's front end, or \
run without it: mpirun -n RANKS rankflow …, rankflow sweep run"
  exec sbatch "${options[@]}" "$script" "$@"
}
