#!/bin/sh
# Installs what a target of make needs: `sh scripts/set-up.sh run bundle`. Finds a Python that is new
# enough, or uses the one that PYTHON names, then runs set_up.py. Needs only a shell.
set -eu
cd "${0%/*}/.."

candidates=${PYTHON:-"python3 python3.14 python3.13 python3.12 python3.11"}
[ -z "${PYTHON:-}" ] || IFS= # one name, blanks and all

for each in $candidates; do
  if "$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
    SET_UP_PYTHON=$each exec "$each" -I scripts/set_up.py "$@"
  fi
done

problem="There is no Python 3.11 or newer here (tried $candidates)."
for each in $candidates; do
  if version=$("$each" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2> /dev/null); then
    problem="$each is Python $version, which is too old."
    break
  fi
done
echo "$problem Install Python 3.11 or newer (Debian: apt install python3 python3-venv;" \
  "macOS: brew install python), or name one: make demo PYTHON=/path/to/python3" >&2
exit 1
