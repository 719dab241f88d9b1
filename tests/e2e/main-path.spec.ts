import { test } from './learner.ts';
import { type Hands, walkMainPath } from './main-path.ts';

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;

const WAYS = [
  { hands: 'mouse', has: { viewport: { width: 1440, height: 900 }, colorScheme: 'light' } },
  { hands: 'keyboard', has: { viewport: { width: 1024, height: 768 }, colorScheme: 'dark' } },
  { hands: 'touch', has: { ...PHONE, colorScheme: 'light' } },
  { hands: 'touch', has: { ...PHONE, colorScheme: 'dark' } },
] as const satisfies readonly { hands: Hands; has: Parameters<typeof test.use>[0] }[];

for (const { hands, has } of WAYS) {
  const way = `${hands}, ${has.viewport.width} px, ${has.colorScheme}`;
  test.describe(way, () => {
    test.use(has);

    test(`a learner gets from the home page into the work (${way})`, async ({ learner }) => {
      await walkMainPath(learner, hands);
    });
  });
}
