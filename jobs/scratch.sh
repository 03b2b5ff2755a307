# Results that grow in a scratch folder and move to their place when complete; to be sourced by job.sh.

# use_scratch ARGUMENTS…: lets a file grow in the scratch folder, unless it has begun elsewhere. Sets `destination` and
# `working`, empty when nothing has to be moved, and the arguments in `arguments`.
use_scratch() {
  local output="" folder i
  arguments=("$@")
  destination="" working=""
  [ -n "${profile[scratch]}" ] || return 0
  for ((i = 1; i <= $#; i++)); do
    case ${!i} in
      -o | --output) arguments[i - 1]="" output=${*:i+1:1} arguments[i]="" ;;
      --output=*) arguments[i - 1]="" output=${!i#--output=} ;;
    esac
  done
  [ -n "$output" ] || { output=$(basename "$1") && output=${output%.*}.h5; }
  output=$(realpath -m "$output")
  if [ -e "$output" ]; then
    arguments=("$@")
    return 0
  fi
  folder=$(eval "echo \"${profile[scratch]}\"")/$(cksum <<<"$output" | cut -d' ' -f1)  # the same after each requeue
  mkdir -p "$folder" || refuse "the scratch folder $folder cannot be made"
  destination=$output working=$folder/$(basename "$output")
  local kept=()
  for i in "${arguments[@]}"; do
    [ -z "$i" ] || kept+=("$i")
  done
  arguments=("${kept[@]}" -o "$working")
}

# Brings a complete file to where it belongs, under its name only when all of it is there.
leave_scratch() {
  [ -n "$working" ] || return 0
  if cp "$working" "$destination.part" && mv "$destination.part" "$destination"; then
    rm -r "$(dirname "$working")"
  else
    say "$working is complete, but could not be copied to $destination"
    return 5
  fi
}
