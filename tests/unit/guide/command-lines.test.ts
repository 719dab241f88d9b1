import { expect, test } from 'vitest';
import { commandLines } from '../../../server/guide/command-lines.ts';

test.each([
  ['one command is one line', 'docker ps', ['docker ps']],
  ['two lines are two commands', 'docker ps\ndocker images\n', ['docker ps', 'docker images']],
  [
    'a line that goes on stays in one piece',
    'docker run \\\n  -d busybox\nls',
    ['docker run \\\n  -d busybox', 'ls'],
  ],
  [
    'a here-document goes to its end',
    "cat > page <<'EOF'\nhello\n\n# not a comment\nEOF\nls",
    ["cat > page <<'EOF'\nhello\n\n# not a comment\nEOF", 'ls'],
  ],
  ['one that has no end is left as it is', 'cat <<EOF\nhello', ['cat <<EOF\nhello']],
  ['comments and empty lines are nothing to type', '# first\n\nls\n', ['ls']],
])('%s', (_, block, lines) => {
  expect(commandLines(block)).toEqual(lines);
});
