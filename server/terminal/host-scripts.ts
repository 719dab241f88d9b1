import { printNote } from './control-scanner.ts';

/**
 * How long a shell may run before others get their turn, in exchange for getting its own sooner: the least that Linux
 * takes (0.1 ms, from 6.12 on; sched_setattr(2)). A key needs far less, and while a class of 50 starts containers its
 * echo's 99th percentile is 90 to 110 ms instead of 130 to 160 (with a server that is not held up itself). Where the
 * system does not know it, all is as it was. What a shell starts has the turns of all others
 * (docs/decisions/0019-turns.md).
 */
const SLICE_NS = 100_000;

/**
 * Runs in the host under dtach, as the learner: `sh -c … quayside-shell ID USER`. dtach keeps no output while nothing is
 * attached, so the shell starts only then: at the first line of input, or after 15 s should the server have
 * died in between. All that it can do before that line, it does before. It stays around the shell to say how it ended,
 * and lives until the server takes it away (or 10 s). A Ctrl-C before the shell itself is there ends neither.
 */
const KEEPER_SCRIPT = oneLine(`
trap : INT QUIT TSTP
stty sane iutf8 -echo -icanon min 0 time 150
USER=$2 LOGNAME=$2 entry=$(getent passwd "$2")
SHELL=\${entry##*:}
entry=\${entry%:*}
HOME=\${entry##*:}
TERM=xterm-256color COLORTERM=truecolor LANG=\${LANG:-C.UTF-8}
export USER LOGNAME SHELL HOME TERM COLORTERM LANG
unset entry QUAYSIDE_ENGINE QUAYSIDE_HOSTS QUAYSIDE_PTY
cd || cd /
unset OLDPWD
IFS= read -r _
stty sane iutf8
${printNote('$1', 'begin')}
sh -c 'trap : INT QUIT TSTP; ${turns('--reset-on-fork')}; exec "$SHELL" -l'
status=$?
${printNote('$1', 'end:$status')}
exec </dev/null
sleep 10
`);

/** Ends at once where an earlier try has started it after all. dtach and what it starts have the slice of this process. */
const START_SCRIPT = oneLine(`
[ -S "$1" ] && exit
${turns()}
exec dtach -n "$1" -E -z -r winch sh -c "$4" quayside-shell "$2" "$3"
`);

/** What starts a shell of `user` under dtach, to be run in the host as that user. It is one line. */
export function startCommand(socket: string, id: string, user: string): readonly string[] {
  return ['sh', '-c', START_SCRIPT, 'quayside-start', socket, id, user, KEEPER_SCRIPT];
}

/**
 * The fallback's way in: `sh -c … quayside-join SOCKET` on a TTY of the engine's, as the learner. The engine leaves
 * such processes running when its client goes, and two attached to one dtach take each other's bytes: the last one's
 * process id lies beside the socket, and the next one ends it.
 */
export const REJOIN_SCRIPT = `
stty raw -echo
read -r last < "$1.join" 2>/dev/null && tr '\\0' ' ' < "/proc/$last/cmdline" 2>/dev/null | grep -qF "$1" && kill -9 "$last"
echo $$ > "$1.join"
exec dtach -a "$1" -E -z -r winch
`;

/** The status of {@link END_SCRIPT} where nothing of the shell is left. */
export const NOTHING_LEFT = 0;
/** … and where something of it lives. */
export const SOMETHING_LIVES = 1;

/**
 * Ends a shell and everything in its session: `bash -c … quayside-end ID all|polite|none SOCKET`, as root in the host.
 * What belongs to it is found in /proc by the id in the keeper's and dtach's arguments, so nothing that a learner could
 * delete or fake beside the socket matters. `all`: hang-up, then kill, until nothing is left. `polite`: hang-up only.
 * `none`: only look. Its status is {@link NOTHING_LEFT} or {@link SOMETHING_LIVES}; any other means that it did not run to
 * its end.
 */
export const END_SCRIPT = `
id=$1 how=$2 socket=$3
declare -A started victim theirs
look() {
  local at pid stat argv grew
  local -A parent session now
  for at in /proc/[0-9]*; do
    pid=\${at#/proc/}
    { IFS= read -r stat < "$at/stat" && mapfile -d '' -t argv < "$at/cmdline"; } 2>/dev/null || continue
    set -- \${stat##*) }
    [[ $1 == [ZX] ]] && continue
    parent[$pid]=$2 session[$pid]=$4 now[$pid]=\${20}
    [[ " \${argv[*]} " == *" quayside-shell $id "* || " \${argv[*]} " == *" $socket "* && "\${argv[0]}" == *dtach ]] && victim[$pid]=1
  done
  # Those found before stay found, though the parent that led to them is dead; but not their successors in number.
  for pid in "\${!victim[@]}"; do
    [[ \${started[$pid]-\${now[$pid]-}} == "\${now[$pid]-gone}" ]] || unset "victim[$pid]" "started[$pid]"
  done
  grew=1
  while ((grew)); do
    grew=0
    for pid in "\${!victim[@]}"; do started[$pid]=\${now[$pid]} theirs[\${session[$pid]}]=1; done
    unset "theirs[\${session[$$]}]" "theirs[\${session[1]}]" "theirs[0]"
    unset "victim[$$]" "victim[1]"
    for pid in "\${!session[@]}"; do
      [[ \${victim[$pid]-} || $pid == $$ || $pid == 1 ]] && continue
      if [[ \${victim[\${parent[$pid]}]-} || \${theirs[\${session[$pid]}]-} ]]; then victim[$pid]=1 grew=1; fi
    done
  done
  ((\${#victim[@]}))
}
if [[ $how == none ]]; then look && exit 1; exit 0; fi
if look; then
  kill -HUP "\${!victim[@]}" 2>/dev/null
  kill -CONT "\${!victim[@]}" 2>/dev/null
  if [[ $how == polite ]]; then
    # dtach ignores a hang-up; it ends at a SIGTERM.
    for pid in "\${!victim[@]}"; do
      { mapfile -d '' -t argv < "/proc/$pid/cmdline"; } 2>/dev/null && [[ "\${argv[0]}" == *dtach ]] && kill -TERM "$pid" 2>/dev/null
    done
  else
    for ((round = 0; round < 60; round++)); do
      look || break
      ((round > 5)) && kill -KILL "\${!victim[@]}" 2>/dev/null
      sleep 0.05
    done
  fi
fi
rm -f "$socket" "$socket.join"
[[ $how == polite ]] && exit 0
! look
`;

/** Gives the shell that runs it its turns sooner. @param more whether its children have theirs as all others */
function turns(more = ''): string {
  return `chrt --other ${more} --sched-runtime ${SLICE_NS} --pid 0 $$ 2>/dev/null`;
}

/** A script of which each line is a command. */
function oneLine(script: string): string {
  return script.trim().replaceAll('\n', '; ');
}
