import { medianOf, type Result } from './table.ts';

/** One line of the bar: a figure of ours, against a peer's of the same run or against a number. */
interface Line {
  readonly says: string;
  readonly child: Result['child'];
  readonly figure: string;
  readonly against: 'ttyd' | 'the better peer' | 'itself';
  /** Of the peer's figure, or of the figure itself. */
  readonly most?: number;
  readonly least?: number;
}

const BAR: readonly Line[] = [
  {
    says: 'the first 300 keys after a start p50, lab host',
    child: 'host',
    figure: 'first 300 keys p50 ms',
    against: 'ttyd',
    most: 1,
  },
  {
    says: 'the first 300 keys after a start p99, lab host',
    child: 'host',
    figure: 'first 300 keys p99 ms',
    against: 'ttyd',
    most: 1,
  },
  {
    says: 'a terminal opens, lab host',
    child: 'host',
    figure: 'a terminal opens, ms',
    against: 'ttyd',
    most: 0.7,
  },
  {
    says: 'the whole server before the first learner, MiB',
    child: 'host',
    figure: 'before the first learner, MiB',
    against: 'itself',
    most: 110,
  },
  { says: 'echo p50, lab host', child: 'host', figure: 'echo p50 ms', against: 'ttyd', most: 0.6 },
  { says: 'echo p99, lab host', child: 'host', figure: 'echo p99 ms', against: 'ttyd', most: 0.8 },
  {
    says: 'echo p99 beside a flood, lab host',
    child: 'host',
    figure: 'echo beside flood p99 ms',
    against: 'ttyd',
    most: 0.5,
  },
  {
    says: 'bulk, lab host',
    child: 'host',
    figure: 'bulk MiB/s',
    against: 'the better peer',
    least: 1.6,
  },
  {
    says: 'echo p50, local shell',
    child: 'local',
    figure: 'echo p50 ms',
    against: 'ttyd',
    most: 1.1,
  },
  { says: 'bulk, local shell', child: 'local', figure: 'bulk MiB/s', against: 'ttyd', least: 1 },
  {
    says: 'Ctrl-C under flood, slow renderer, lab host',
    child: 'host',
    figure: 'Ctrl-C under flood, slow renderer, ms',
    against: 'the better peer',
    most: 0.5,
  },
  {
    says: 'memory with a stalled reader, lab host, MiB',
    child: 'host',
    figure: 'memory with a stalled reader, MiB more',
    against: 'itself',
    most: 4,
  },
  {
    says: 'memory of one idle terminal, lab host',
    child: 'host',
    figure: 'one idle terminal, KiB',
    against: 'ttyd',
    most: 0.4,
  },
  {
    says: 'pieces of bulk that were wrong, lab host',
    child: 'host',
    figure: 'bulk pieces wrong',
    against: 'itself',
    most: 0,
  },
];

/** The bar as a table: what is asked, what there is, and whether that is enough. Lines that were not measured say so. */
export function barOf(results: readonly Result[]): string {
  const rows = BAR.map((line) => {
    const asked = line.most === undefined ? `≥ ${line.least}` : `≤ ${line.most}`;
    const is = figureOf(line, results);
    const unit = line.against === 'itself' ? '' : '×';
    const met = is === undefined ? undefined : is <= (line.most ?? is) && is >= (line.least ?? is);
    const against = line.against === 'itself' ? '–' : line.against;
    const verdict = met === undefined ? 'not measured' : met ? 'met' : 'missed';
    const shown = is === undefined ? '–' : `${is.toFixed(2)}${unit}`;
    return [line.says, against, `${asked}${unit}`, shown, verdict];
  });
  const head = ['the bar', 'against', 'asked', 'is', ''];
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function figureOf(line: Line, results: readonly Result[]): number | undefined {
  const of = (name: string): number | undefined =>
    medianOf(
      results.find((result) => result.child === line.child && result.name === name)?.figures[
        line.figure
      ],
    );
  const ours = of('Quayside');
  if (ours === undefined || line.against === 'itself') return ours;
  const peers = (line.against === 'ttyd' ? ['ttyd'] : ['ttyd', 'wetty']).flatMap(
    (name) => of(name) ?? [],
  );
  if (peers.length === 0) return undefined;
  return ours / (line.most === undefined ? Math.max(...peers) : Math.min(...peers));
}
