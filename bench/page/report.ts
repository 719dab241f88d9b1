import { medianOf } from '../terminal/table.ts';
import type { Contender } from './contenders.ts';

/** All rounds of one figure of one contender. */
export interface Result {
  readonly measure: string;
  readonly figure: string;
  /** So many times slower the processor was. */
  readonly slow: number;
  readonly contender: Contender['name'];
  /** `null` where it took too long and was given up. */
  readonly values: readonly (number | null)[];
}

/** What is asked of our page. */
interface Bar {
  readonly measure: RegExp;
  readonly figure: RegExp;
  /** Asked at this speed only; at every one, if not given. */
  readonly slow?: number;
  /** `bare`: of the ratio to the bare page. */
  readonly of: 'bare' | 'itself';
  readonly most?: number;
  readonly least?: number;
}

const SLOW = 4;
/** Frames are counted in so many seconds; one is lost at either end. */
const SIXTY = 59;
const BARS: readonly Bar[] = [
  { measure: /^key, /, figure: /^p50/, slow: SLOW, of: 'bare', most: 1.05 },
  { measure: /^key, /, figure: /^p99/, slow: SLOW, of: 'bare', most: 1.2 },
  { measure: /^key beside/, figure: /^p(50|99)/, slow: SLOW, of: 'bare', most: 1.1 },
  { measure: /^key/, figure: /^never seen/, of: 'itself', most: 0 },
  { measure: /^key beside/, figure: /^frames/, of: 'itself', least: SIXTY },
  { measure: /^scroll beside ping/, figure: /^frames/, slow: SLOW, of: 'itself', least: 55 },
  { measure: /^scroll beside yes/, figure: /^frames/, slow: SLOW, of: 'itself', least: 30 },
  { measure: /^(flood|full screen)/, figure: /^s$/, slow: SLOW, of: 'bare', most: 1 },
  { measure: /^reload/, figure: /^s /, slow: SLOW, of: 'itself', most: 1.5 },
  { measure: /^reload/, figure: /^s /, slow: 1, of: 'itself', most: 0.6 },
  { measure: /^restyled/, figure: /^elements for a key/, of: 'itself', most: 30 },
  { measure: /^idle/, figure: /^busy/, of: 'itself', most: 0.5 },
  { measure: /^idle/, figure: /^layouts/, of: 'itself', most: 0 },
  { measure: /^(sections|terminals)/, figure: /^heap/, of: 'itself', most: 256 },
  { measure: /^(sections|terminals)/, figure: /^nodes/, of: 'itself', most: 50 },
  { measure: /^roster/, figure: /^elements/, of: 'itself', most: 60 },
];
/** What a key beside tabs is compared with: the bare page has no tabs. */
const ALONE = 'key, fresh';

/** A row for each figure at each speed: medians, the ratio to the bare page, what is asked, and whether it is met. */
export function tableOf(results: readonly Result[]): string {
  const rows = results
    .filter(({ contender }) => contender === 'Quayside')
    .map(({ measure, figure, slow, values }) => {
      const ours = medianOf(numbers(values));
      const bare = medianOf(numbers(bareOf(results, measure, figure, slow)));
      const ratio = ours !== undefined && bare ? ours / bare : undefined;
      const bar = BARS.find(
        (each) =>
          each.measure.test(measure) &&
          each.figure.test(figure) &&
          (each.slow === undefined || each.slow === slow),
      );
      const times = ratio === undefined ? '–' : `${ratio.toFixed(2)}×`;
      return [
        `${measure}: ${figure}`,
        slow === 1 ? 'as it is' : `${slow}× slower`,
        values.includes(null) && ours === undefined ? 'hung' : shown(ours),
        shown(bare),
        times,
        bar ? askedBy(bar) : '',
        bar ? verdict(bar, bar.of === 'bare' ? ratio : ours) : '',
      ];
    });
  const head = ['figure', 'processor', 'Quayside', 'bare page', 'ratio', 'asked', ''];
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function bareOf(
  results: readonly Result[],
  measure: string,
  figure: string,
  slow: number,
): Result['values'] {
  const same = measure.startsWith('key beside') && figure.startsWith('p') ? ALONE : measure;
  return (
    results.find(
      (result) =>
        result.contender === 'bare page' &&
        result.measure === same &&
        result.figure === figure &&
        result.slow === slow,
    )?.values ?? []
  );
}

function numbers(values: Result['values']): readonly number[] {
  return values.filter((value) => value !== null);
}

function askedBy({ of, most, least }: Bar): string {
  const sign = most === undefined ? `≥ ${least}` : `≤ ${most}`;
  return of === 'bare' ? `${sign}×` : sign;
}

function verdict({ most, least }: Bar, is: number | undefined): string {
  if (is === undefined) return 'missed';
  return is <= (most ?? is) && is >= (least ?? is) ? 'met' : 'missed';
}

function shown(value: number | undefined): string {
  if (value === undefined) return '–';
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(2);
}
