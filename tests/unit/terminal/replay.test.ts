import { Terminal } from '@xterm/xterm';
import { expect, test } from 'vitest';
import { Output, type ReplayStart } from '../../../server/terminal/output.ts';
import { cut, integers, seeded } from '../../fixtures/random.ts';

// What a page shows after a short replay is compared with what xterm makes of everything that was ever printed.

const SIZE = { cols: 80, rows: 24 } as const;
const KIB = 1024;
const RING = 64 * KIB;
const NEWEST = 2 * KIB;
const SCROLLBACK = 100_000;

type Integer = (below: number) => number;

const word = (integer: Integer): string =>
  ['alpha', 'βῆτα', '日本語', 'naïve', '🙂', 'x'.repeat(integer(100)), '0123456789', '\t'][
    integer(8)
  ] ?? '';
const words = (integer: Integer): string =>
  Array.from({ length: 1 + integer(6) }, () => word(integer)).join(' ');
const colour = (integer: Integer): string =>
  [
    `\x1b[3${integer(8)}m`,
    `\x1b[1;38;5;${integer(256)}m`,
    `\x1b[48;2;1;2;${integer(256)}m`,
    '\x1b[0m',
    '\x1b[m',
    '\x1b[0;7m',
  ][integer(6)] ?? '';
const some = (most: number, integer: Integer, make: () => string): string =>
  Array.from({ length: 1 + integer(most) }, make).join('');

/** What programs print, a piece at a time: each leaves the terminal as it may stand between two of them. */
const PIECES: readonly ((integer: Integer) => string)[] = [
  (integer) => some(200, integer, () => `${words(integer)}\r\n`),
  (integer) => some(200, integer, () => `${colour(integer)}${words(integer)}\r\n`),
  (integer) => some(2_000, integer, () => `${integer(10_000)}\r\n`),
  // A prompt, with its marks and a title, at which a line is typed, corrected and run.
  (integer) =>
    some(
      5,
      integer,
      () =>
        `\x1b]633;A;aid=7\x07\x1b]0;learner@server01: ~\x07\x1b[?2004h\x1b[01;32mlearner\x1b[00m$ ` +
        `lsx\b\x1b[K\r\n\x1b[?2004l\r\x1b]633;E;ls;aid=7\x07\x1b]633;C;aid=7\x07${words(integer)}\r\n\x1b]633;D;0;aid=7\x07`,
    ),
  (integer) => some(300, integer, () => `\r${integer(100)} % ${'#'.repeat(integer(60))}\x1b[K`),
  // Layers that are pulled: the cursor goes up and down again.
  (integer) =>
    some(60, integer, () => {
      const up = 1 + integer(5);
      return `\x1b[${up}A\r\x1b[2K${words(integer).slice(0, 40)}\x1b[${up}B\r`;
    }),
  () => '\x1b[H\x1b[2J\x1b[3J',
  () => '\x1b[H',
  // A full-screen program.
  (integer) =>
    `\x1b[?1049h\x1b[?1h\x1b=\x1b[H\x1b[2J\x1b[?25l${some(
      200,
      integer,
      () => `\x1b[${1 + integer(24)};${1 + integer(80)}H${colour(integer)}${words(integer)}`,
    )}\x1b[0m\x1b[?25h\x1b[?1l\x1b>\x1b[?1049l`,
  // A pager, which scrolls in the alternate screen.
  (integer) => `\x1b[?1049h${some(300, integer, () => `${words(integer)}\r\n`)}\x1b[?1049l`,
  // A progress bar below a scroll region.
  (integer) =>
    `\x1b[1;23r\x1b[23;1H${some(100, integer, () => `${words(integer)}\r\n`)}\x1b[r\x1b[24;1H`,
  (integer) => `\x1bP1$r${some(100, integer, () => `${words(integer)}\r\n`)}\x1b\\`,
  (integer) => `\x1b]8;;http://server01/${'x'.repeat(integer(2_000))}\x07link\x1b]8;;\x07\r\n`,
];

function stream(integer: Integer, bytes: number): Buffer {
  const pieces: Buffer[] = [];
  for (let length = 0; length < bytes; ) {
    const piece = Buffer.from(PIECES[integer(PIECES.length)]?.(integer) ?? '');
    pieces.push(piece);
    length += piece.byteLength;
  }
  return Buffer.concat(pieces);
}

/** xterm with these bytes written to it. */
async function shown(...bytes: readonly Uint8Array[]): Promise<Terminal> {
  const terminal = new Terminal({ ...SIZE, scrollback: SCROLLBACK, allowProposedApi: true });
  for (const piece of bytes) await new Promise<void>((done) => terminal.write(piece, done));
  return terminal;
}

/** Each cell of the screen with its looks, the cursor, and the modes. */
function screenOf(terminal: Terminal): unknown {
  const buffer = terminal.buffer.active;
  const rows = Array.from({ length: SIZE.rows }, (_, row) => {
    const line = buffer.getLine(buffer.baseY + row);
    return Array.from({ length: SIZE.cols }, (_, column) => {
      const cell = line?.getCell(column);
      const looks = [cell?.getFgColor(), cell?.getBgColor(), cell?.isBold(), cell?.isInverse()];
      return `${cell?.getChars()}${looks.every((look) => look === 0 || look === -1) ? '' : looks}`;
    }).join('|');
  });
  return { rows, type: buffer.type, x: buffer.cursorX, y: buffer.cursorY, modes: terminal.modes };
}

function linesAbove(terminal: Terminal): readonly string[] {
  const { normal } = terminal.buffer;
  return Array.from(
    { length: normal.baseY },
    (_, at) => normal.getLine(at)?.translateToString(true) ?? '',
  );
}

const replayed = (output: Output, { offset, preamble }: ReplayStart): Promise<Terminal> =>
  shown(preamble, output.since(offset));

test('the newest output gives the screen that all output gives, wherever the stream is cut', async () => {
  const integer = integers(seeded(18));
  let [cuts, short] = [0, 0];
  for (let round = 0; round < 12; round++) {
    const all = stream(integer, 3 * RING);
    const output = new Output(RING);
    for (const piece of cut(all, 16 * KIB, integer)) {
      output.append(piece);
      if (integer(3) > 0) continue;
      const start = output.newest(NEWEST, SIZE.rows);
      if (!start.isWhole) continue;
      cuts += 1;
      if (output.head - start.offset < RING / 4) short += 1;
      const [part, whole] = [
        await replayed(output, start),
        await shown(all.subarray(0, output.head)),
      ];
      expect(screenOf(part)).toEqual(screenOf(whole));
      part.dispose();
      whole.dispose();
    }
  }
  expect(cuts).toBeGreaterThan(50);
  expect(short / cuts).toBeGreaterThan(0.5);
}, 60_000);

/** Lines that fill a screen some times over. */
const LINES = Array.from({ length: 100 }, (_, line) => `line ${line}\r\n`).join('');

test.each([
  ['modes', '\x1b[?2004h\x1b[?1000h\x1b[?1006h\x1b[?25l\x1b=', LINES],
  ['colours', '\x1b[32m\x1b[1;44m', LINES],
  ['half a sequence at the end', '', `${LINES}\x1b[3`],
  ['half a mark at the end', '', `${LINES}\x1b]633;A;ai`],
  [
    'half a character at the end',
    '',
    Buffer.concat([Buffer.from(LINES), Buffer.from('語').subarray(0, 2)]),
  ],
  [
    'the alternate screen, entered and left',
    '',
    `${LINES}\x1b[?1049h\x1b[5;5Hthere\x1b[?1049l${LINES}`,
  ],
  ['the alternate screen, entered', '', `${LINES}\x1b[?1049h\x1b[5;5Hthere`],
  ['a cleared screen with a little text', '', `${LINES}\x1b[H\x1b[2Jtop`],
  ['a long line that goes on and on', '', `${LINES}${'\rprogress'.repeat(5_000)}`],
] as const)('keeps the screen as it is: %s', async (_, before, after) => {
  const output = new Output(1024 * KIB);
  const all = Buffer.concat([
    Buffer.from(before),
    Buffer.from(LINES.repeat(100)),
    Buffer.from(after),
  ]);
  output.append(all);
  const start = output.newest(NEWEST, SIZE.rows);
  expect(start.isWhole).toBe(true);
  expect(output.head - start.offset).toBeLessThan(all.byteLength / 2);
  expect(screenOf(await replayed(output, start))).toEqual(screenOf(await shown(all)));
});

test('a full-screen program that has long been running is left to draw its screen again', () => {
  const output = new Output(1024 * KIB);
  output.append(Buffer.from(`${LINES}\x1b[?1049h`));
  for (let drawn = 0; drawn < 1_000; drawn++)
    output.append(Buffer.from(`\x1b[5;5H${'x'.repeat(100)}`));
  const start = output.newest(NEWEST, SIZE.rows);
  expect(start.isWhole).toBe(false);
  expect(output.head - start.offset).toBeLessThan(50 * KIB);
  expect(Buffer.from(start.preamble).toString()).toBe('\x1b[?1049h');
});

test('where nothing shorter gives the same screen, the replay is of all that is kept', () => {
  const output = new Output(1024 * KIB);
  output.append(Buffer.from('\x1b[H\r\n'.repeat(50_000)));
  expect(output.newest(NEWEST, SIZE.rows)).toMatchObject({ offset: 0, isWhole: true });
});

test('brings back so many lines above the screen, and not many more bytes than that takes', async () => {
  const integer = integers(seeded(21));
  const lines = 300;
  for (let round = 0; round < 10; round++) {
    const all = stream(integer, 4 * RING);
    const output = new Output(8 * RING);
    for (const piece of cut(all, 16 * KIB, integer)) output.append(piece);
    const start = output.withScrollback(lines, SIZE.rows);
    const whole = linesAbove(await shown(all));
    const part = linesAbove(await replayed(output, start));
    expect(part.slice(-lines)).toEqual(whole.slice(-lines));
  }
  const output = new Output(1024 * KIB);
  output.append(Buffer.from(LINES.repeat(1_000)));
  const start = output.withScrollback(lines, SIZE.rows);
  expect(output.head - start.offset).toBeLessThan(16 * KIB);
});
