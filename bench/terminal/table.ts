/** All rounds of one contender: figure to its values. */
export interface Result {
  readonly name: string;
  readonly child: 'host' | 'local';
  readonly figures: Record<string, number[]>;
}

const US = 'Quayside';
const PEERS = ['ttyd', 'wetty', 'bare node-pty'];

/** A table per kind of child: a row per figure with the medians, and our ratio to each peer. */
export function tableOf(results: readonly Result[]): string {
  return (['host', 'local'] as const)
    .flatMap((child) => {
      const here = results.filter((result) => result.child === child);
      if (here.length === 0) return [];
      const title = child === 'host' ? 'A shell on a lab host' : 'A bare shell on this machine';
      return [`### ${title}`, '', ...rowsOf(here), ''];
    })
    .join('\n');
}

function rowsOf(results: readonly Result[]): readonly string[] {
  const us = results.find(({ name }) => name === US);
  const peers = results.filter(({ name }) => PEERS.includes(name));
  const figures = [...new Set(results.flatMap(({ figures }) => Object.keys(figures)))];
  const head = [
    'figure',
    ...results.map(({ name }) => name),
    ...peers.map(({ name }) => `${US} / ${name}`),
  ];
  const rows = figures.map((figure) => {
    const of = (result: Result | undefined): number | undefined =>
      medianOf(result?.figures[figure]);
    const ratios = peers.map((peer) => {
      const [ours, theirs] = [of(us), of(peer)];
      return ours === undefined || !theirs ? '–' : `${(ours / theirs).toFixed(2)}×`;
    });
    return [figure, ...results.map((result) => shown(of(result))), ...ratios];
  });
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

export function medianOf(values: readonly number[] | undefined): number | undefined {
  const sorted = [...(values ?? [])].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function shown(value: number | undefined): string {
  if (value === undefined) return '–';
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
