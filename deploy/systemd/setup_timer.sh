#!/bin/sh
# Let systemd run the job every four hours (server's time). Run it as root.
#   setup_timer.sh             install, for the user who owns the program's folder
#   setup_timer.sh --remove    take it away again
# UNIT_DIR names another folder for the units, e.g. to look at them first; then systemd is not told.
set -eu

units=${UNIT_DIR:-/etc/systemd/system}
here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "$here/../.." && pwd)
names="scout-refresh.service scout-refresh.timer scout-refresh-failed.service"

tell_systemd() {
    [ -n "${UNIT_DIR-}" ] || systemctl "$@"
}

case "${1-}" in
    "") ;;
    --remove)
        tell_systemd disable --now scout-refresh.timer || true
        for name in $names; do rm -f "$units/$name"; done
        tell_systemd daemon-reload
        echo "Removed."
        exit 0
        ;;
    *)
        echo "Usage: $0 [--remove]" >&2
        exit 2
        ;;
esac

if [ ! -x "$folder/.venv/bin/python" ]; then
    echo "The program is not installed here ($folder/.venv is missing): run make install first." >&2
    exit 1
fi
if ! grep -qs '^DATABASE_URL' "$folder/.env"; then
    echo "There is no DATABASE_URL in $folder/.env: systemd's runs see only that file." >&2
    exit 1
fi
owner=$(stat -c %U "$folder")
# systemd reads % in a unit as its own, and sed & and | in a replacement
escaped=$(printf '%s' "$folder" | sed 's/%/%%/g; s/[&|\\]/\\&/g')
for name in $names; do
    sed "s|/srv/scouts|$escaped|g; s|^User=scouts\$|User=$owner|" "$here/$name" > "$units/$name"
    chmod 0644 "$units/$name"
done
tell_systemd daemon-reload
tell_systemd enable --now scout-refresh.timer
echo "Installed for user $owner. Next: systemctl list-timers scout-refresh.timer"
