#!/bin/sh
# Let cron run the job every four hours (server's time), as the user who runs this.
#   setup_recurrent_job.sh             install; a second time changes nothing
#   setup_recurrent_job.sh --remove    take it away again
#   setup_recurrent_job.sh --status    say whether it is there
set -eu

case "${1-}" in
    "") what=install ;;
    --remove) what=remove ;;
    --status) what=status ;;
    *)
        echo "Usage: $0 [--remove | --status]" >&2
        exit 2
        ;;
esac

cd "$(dirname "$0")/../.."
if [ ! -x .venv/bin/python ]; then
    echo "The program is not installed here ($PWD/.venv is missing): run make install first." >&2
    exit 1
fi
exec .venv/bin/python -m scout_core schedule "$what"
