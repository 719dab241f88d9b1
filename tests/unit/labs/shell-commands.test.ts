// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell text.
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { commandsOf, piecesOf } from '../../../server/labs/shell-commands.ts';

/** Each is one command: what a shell takes at one prompt. */
const ONE_COMMAND: Readonly<Record<string, string>> = {
  'a plain one': 'docker ps',
  'a line that goes on': 'docker run \\\n  -d busybox',
  'a word that goes on': 'docker r\\\nun -d busybox',
  'a pipe at the end of a line': 'docker ps |\ngrep myapp2',
  'a pipe of both outputs': 'docker ps |&\n  grep myapp2',
  'a pipe with a comment behind it': 'docker ps | # only ours\n\n  grep myapp2',
  'an and at the end of a line': 'true &&\necho yes',
  'an or at the end of a line': 'false ||\n\necho yes',
  'a here-document': "cat > page <<'EOF'\nhello\n\n# not a comment\nit's $(fine\nEOF",
  'a here-document whose word is escaped': 'cat <<\\EOF\n$HOME "\nEOF',
  'an indented here-document': 'cat <<-EOF\n\t  "\n\tEOF',
  'two here-documents': 'cat <<A - <<B\none\nA\n"two\nB',
  'a here-document into a pipe': 'cat <<E |\nx"\nE\nsort',
  'a here-document in a substitution': 'x=$(cat <<E\n) "\nE\n)',
  'a here-document with a word of several parts': 'cat <<"a b"c\nx\na bc',
  'a here-document in a loop': 'for i in 1 2; do\ncat <<E\ndone\nE\ndone',
  'a here-string': 'cat <<<"a\nb"',
  'a loop': 'for i in 1 2 3; do\n  echo "$i"\ndone',
  'a loop over the arguments': 'for i do\necho x\ndone',
  'a loop with its do below': 'for i in 1 2\ndo\n  echo do done\ndone | cat',
  'a loop that counts': 'for ((i = 0; i < 3; i++)); do\n  echo $i\ndone',
  'a loop that waits': 'until docker ps; do\n  sleep 1\ndone > /dev/null 2>&1 &',
  'a loop within a loop': 'while read -r a; do\n  for b in $a; do\n    echo\n  done\ndone < file',
  'a choice': 'if [ -f x ]; then\n  echo if\nelif true\nthen\n  echo fi\nelse\n  echo\nfi',
  'a choice within a choice': 'if a; then\nif b; then\nc\nfi fi',
  'a case': 'case $x in\n  a | b) echo done ;;\n  (c)\n    echo c\n    ;&\n  *) ;;\nesac',
  'a case with its in below': 'case $x\nin\nesac',
  'a case in a substitution': 'x=$(case a in\na) echo b;; esac)',
  'a function': 'f() {\n  echo "}"\n}',
  'a function with its body below': 'f()\n\n{\n  echo\n}',
  'a function with a space': 'f ()\n(\necho\n)',
  'a function by its word': 'function f {\n  echo\n}',
  'a function by its word, with a body below': 'function f ()\n{\n  echo\n}',
  'a group': '{\n  echo one\n  echo two\n} | cat',
  'a group with here-document and comment': '{ # }\ncat <<E\n}\nE\n}',
  'a subshell': '(\n  cd /tmp\n  ls\n)',
  'a subshell within a subshell': '((cd /tmp) |\ncat)',
  'an open quote': "echo 'one\ntwo'",
  'open double quotes': 'echo "one\n$(echo ")\n\\" two")"',
  'a quote with escapes': "echo $'it\\'s\nhere'",
  'an apostrophe in double quotes': 'echo "it\'s\nhere"',
  'a quote in an expansion in double quotes': 'echo "${a:-\'}\n\'}"',
  backticks: 'echo `echo one\necho two`',
  'a substitution': 'echo $(\n  date\n)',
  'a substitution with a comment': 'echo $( # not )\n  date\n)',
  'an expansion': 'echo ${x:-"a }\nb"}',
  'an expansion with a hash': 'echo ${#x} ${x#a} $# |\ncat',
  arithmetic: 'echo $((\n1 << 2\n))',
  'arithmetic as a command': '((\nx = 1 << 2\n))',
  'an array': 'a=(\n  one # )\n  "two\n  three"\n)',
  'a test': '[[ -f a &&\n  ( $x == b || -f d ) ]]',
  'a test with a pattern': '[[ $x =~ ^(a|b)$ ]] &&\necho',
  'a process substitution': 'diff <(\necho a\n) <(echo b)',
  'a negation': '! {\nfalse\n}',
  'a redirection before the command': '> out echo do',
  'both outputs in a file': 'make &> out',
  'reserved words as arguments': 'echo if for while case { function [[ do',
  'braces in arguments': "docker ps --format '{{.Names}}' {a,b}",
  'a hash within a word': 'echo a#b "#"',
};

/** What stands at the end of one line and is whole. */
const LINES =
  'ls &\nls;\nf() { ls; }\n{ ls; }\nif a; then b; fi\n[[ a ]]\n((1))\na=(b)\n(ls)\ncat <<< x';

/** The same every time: a failure can be seen again. */
function* random(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    yield state / 2_147_483_648;
  }
}

/** A command of several lines, made of others. */
function nested(draw: () => number, depth: number): string {
  const names = Object.keys(ONE_COMMAND);
  const pick = () => ONE_COMMAND[names[Math.floor(draw() * names.length)] ?? ''] ?? '';
  if (depth === 0) return pick();
  const inner = () => nested(draw, depth - 1);
  const forms = [
    () => `if true\nthen\n${inner()}\nelse\n${inner()}\nfi`,
    () => `for x in 1; do\n${inner()}\ndone`,
    () => `f() {\n${inner()}\n${inner()}\n}`,
    () => `(\n${inner()}\n)`,
    () => `echo "$(\n${inner()}\n)"`,
    () => `case x in\nx)\n${inner()}\n;;\nesac`,
    () => `while false; do\n${inner()}\ndone |\ncat`,
    inner,
  ];
  return forms[Math.floor(draw() * forms.length)]?.() ?? inner();
}

/** What bash has to say against a text. */
function complaint(text: string): string {
  const input = `shopt -s extglob\n${text}\n`;
  return spawnSync('bash', ['-n'], { input, encoding: 'utf8' }).stderr;
}

describe('a block', () => {
  test.each(Object.entries(ONE_COMMAND))(
    'with %s is one command, before and after others',
    (_, text) => {
      expect(commandsOf(text)).toEqual([text]);
      expect(commandsOf(`pwd\n${text}\n\n# why\nls\n`)).toEqual(['pwd', text, 'ls']);
    },
  );

  test('of whole lines is a command a line', () => {
    expect(commandsOf(LINES)).toEqual(LINES.split('\n'));
  });

  test('with a here-document or a quote that has no end is left as it is', () => {
    expect(commandsOf('pwd\ncat <<EOF\nhello')).toEqual(['pwd', 'cat <<EOF\nhello']);
    expect(commandsOf("pwd\necho 'hello\nls\n")).toEqual(['pwd', "echo 'hello\nls\n"]);
    expect(commandsOf('docker run \\')).toEqual(['docker run \\']);
  });

  test('with nothing to type is none', () => {
    expect(commandsOf('')).toEqual([]);
    expect(commandsOf('\n # one\n\t\n')).toEqual([]);
  });

  test('of commands within commands comes apart as it was put together, and bash takes each', () => {
    const numbers = random(7);
    const draw = () => numbers.next().value;
    const blocks = Array.from({ length: 40 }, () =>
      Array.from({ length: 3 }, () => nested(draw, 1 + Math.floor(draw() * 3))),
    );
    for (const commands of blocks) expect(commandsOf(commands.join('\n'))).toEqual(commands);
    expect(complaint(blocks.flat().join('\n'))).toBe('');
  });

  test('of any text comes back whole from its pieces', () => {
    const numbers = random(11);
    const draw = () => numbers.next().value;
    const signs = [...'"\'`$(){}[]<>|&;#\\\n\n\n \ta=-'].concat(
      ...['if', 'fi', 'do', 'done', 'case', 'esac', 'in', '<<E', 'E', 'f()', '[[', ' ]]'],
    );
    for (let round = 0; round < 2_000; round++) {
      const text = Array.from(
        { length: Math.floor(draw() * 60) },
        () => signs[Math.floor(draw() * signs.length)] ?? '',
      ).join('');
      expect(
        piecesOf(text)
          .map((piece) => piece.text)
          .join('\n'),
      ).toBe(text);
    }
  });

  test.each(['(', '$(', '"$(', '{\n', 'cat <<E\n', '[[ (', '`', 'a |\n', 'if ', '${', '"'])(
    'of a hundred thousand “%s” is read to its end',
    (sign) => {
      const text = sign.repeat(100_000);
      expect(
        piecesOf(text)
          .map((piece) => piece.text)
          .join('\n'),
      ).toBe(text);
    },
  );
});

test.each(Object.entries(ONE_COMMAND))(
  'bash takes %s, and wants more where it is cut',
  (_, text) => {
    expect(complaint(text)).toBe('');
    const lines = text.split('\n');
    for (let cut = 1; cut < lines.length; cut++) {
      const begun = lines.slice(0, cut).join('\n');
      if (!begun.endsWith('\\')) expect(complaint(begun)).toMatch(/unexpected|here-document/);
    }
  },
);
