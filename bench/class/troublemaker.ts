/**
 * The learner who makes trouble, in a process of its own: what it does must not hold up those whose echo is measured.
 * Its parent sends the URL to join by, then the name of each trouble, and is told `begun` and `over`.
 */
import { joinClass } from '../../client-driver/http.ts';
import { Learner } from '../../client-driver/learner.ts';
import { TROUBLES } from './troubles.ts';

const [, , url = '', lab = ''] = process.argv;
const eve = await Learner.open(await joinClass(url, 'Eve'), lab);
await eve.start();
process.on('message', async (name: string) => {
  try {
    await TROUBLES[name]?.(eve, () => process.send?.({ kind: 'begun' }));
    process.send?.({ kind: 'over' });
  } catch (error) {
    process.send?.({ kind: 'failed', why: error instanceof Error ? error.message : String(error) });
  }
});
process.once('disconnect', () => process.exit(0));
process.send?.({ kind: 'over' });
