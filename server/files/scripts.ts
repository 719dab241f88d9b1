/*
 * What is run in a host for its files, by sh, as the learner. The path comes as an argument and is taken to the letter:
 * whatever a name is made of, it is no part of a command. Paths are absolute, so none is taken for an option.
 */

/** How a script says what it has found. The shell's own statuses are below and above these. */
export const FOUND = {
  nothing: 64,
  folder: 65,
  file: 66,
  special: 67,
  denied: 68,
  changed: 69,
  broken: 70,
  taken: 71,
} as const;

/**
 * Lists `$1`: for at most `$2` of what is in it, its kind (behind a symbolic link, what that leads to), its size and its
 * name, each ended by NUL.
 */
export const LIST_SCRIPT = `
[ -e "$1" ] || exit ${FOUND.nothing}
[ -d "$1" ] || exit ${FOUND.file}
[ -r "$1" ] && cd "$1" || exit ${FOUND.denied}
find . -mindepth 1 -maxdepth 1 -printf '%Y %s %P\\0' 2>/dev/null | head -zn "$2"
`;

/** Reads `$1`: a line with its size and `w` where it may be written, then its bytes, unless they are more than `$2`. */
export const READ_SCRIPT = `
[ -e "$1" ] || exit ${FOUND.nothing}
[ -d "$1" ] && exit ${FOUND.folder}
[ -f "$1" ] || exit ${FOUND.special}
[ -r "$1" ] || exit ${FOUND.denied}
size=$(stat -Lc %s "$1") || exit
if [ -w "$1" ]; then echo "$size w"; else echo "$size -"; fi
[ "$size" -gt "$2" ] || exec head -c "$2" "$1"
`;

/**
 * Writes stdin to `$1` where its version is still `$2`. `$3` bytes come, or the line broke; more than `$4` bytes are of
 * no version that anybody knows. A symbolic link stays, and what it leads to is written. What belongs to somebody else,
 * has a group that the learner cannot give or another name, or lies in a folder where the learner can make no file, is
 * written in place: another file would not be the same. What is refused is read to its end all the same: whoever sends it
 * hears why, not that the line broke. The line break after a path keeps those at its end from being cut off by the shell.
 */
export const WRITE_SCRIPT = `
no() { cat >/dev/null; exit "$1"; }
path=$(readlink -m "$1"; echo .) && path=\${path%??}
[ -d "$path" ] && no ${FOUND.folder}
folder=\${path%/*}
[ -e "$folder" ] || mkdir -p "$folder" 2>/dev/null || no ${FOUND.denied}
version=none
if [ -e "$path" ]; then
  [ -f "$path" ] || no ${FOUND.special}
  [ -w "$path" ] || no ${FOUND.denied}
else
  [ -w "\${folder:-/}" ] || no ${FOUND.denied}
fi
trap 'rm -f "$new"' EXIT
trap 'exit 1' TERM
new=$(mktemp "$folder/.saving-XXXXXX" 2>/dev/null) || new=$(mktemp) || no $?
cat >"$new" || no $?
[ "$(stat -c %s "$new")" = "$3" ] || exit ${FOUND.broken}
if [ -e "$path" ]; then
  [ "$(stat -c %s "$path")" -le "$4" ] || exit ${FOUND.changed}
  version=$(sha256sum <"$path") && version=\${version%% *} || exit
fi
[ "$version" = "$2" ] || exit ${FOUND.changed}
if [ ! -e "$path" ]; then
  chmod =rw "$new" && mv -nT "$new" "$path" && [ ! -e "$new" ] || exit ${FOUND.changed}
elif [ -O "$path" ] && [ "\${new%/*}" = "$folder" ] && [ "$(stat -c %h "$path")" = 1 ] &&
  chgrp --reference="$path" "$new" 2>/dev/null; then
  chmod --reference="$path" "$new" && mv -fT "$new" "$path"
else
  cat "$new" >"$path"
fi
`;

/** Gives `$1`, a file or a folder with all that is in it, the path `$2`, where there is nothing yet. */
export const MOVE_SCRIPT = `
is() { [ -e "$1" ] || [ -L "$1" ]; }
is "$1" || exit ${FOUND.nothing}
is "$2" && exit ${FOUND.taken}
for path in "$1" "$2"; do
  folder=\${path%/*}
  [ -w "\${folder:-/}" ] || exit ${FOUND.denied}
done
mv -nT "$1" "$2" || exit
is "$1" && exit ${FOUND.taken}
exit 0
`;

/** Removes `$1`, a folder with all that is in it. Of a symbolic link, the link. */
export const REMOVE_SCRIPT = `
[ -e "$1" ] || [ -L "$1" ] || exit ${FOUND.nothing}
folder=\${1%/*}
[ -w "\${folder:-/}" ] || exit ${FOUND.denied}
exec rm -rf "$1"
`;
