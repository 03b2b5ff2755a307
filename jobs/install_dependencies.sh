#!/usr/bin/env bash
# Installs the Debian packages of dependencies.txt that are missing. Does nothing, quickly, when none is.
# usage: jobs/install_dependencies.sh [--bench]   --bench: also what bench/peers/dependencies.txt lists
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
lists=("$root/dependencies.txt")
case "$*" in
  "") ;;
  --bench) lists+=("$root/bench/peers/dependencies.txt") ;;
  *) sed -n '3s/^# //p' "$0" >&2; exit 2 ;;
esac
mapfile -t wanted < <(sed 's/#.*//' "${lists[@]}" | awk 'NF { print $1 }')

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "This system has no apt-get. Install the equivalents of the packages listed in" >&2
  echo "${lists[*]} by your own means (on a cluster: modules), then run jobs/build.sh." >&2
  exit 1
fi

installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null | sed -n 's/^installed //p' || true)
missing=()
for package in "${wanted[@]}"; do
  grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "All ${#wanted[@]} packages of ${lists[*]#"$root/"} are installed."
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "Missing packages: ${missing[*]}" >&2
    echo "You are not root and there is no sudo: ask an administrator for: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "Installing ${#missing[@]} packages: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
