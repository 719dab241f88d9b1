import { afterEach, expect, test, vi } from 'vitest';
import { parseAddress } from '../../../server/browser/address.ts';
import { requestPage } from '../../../server/browser/page-request.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('a host that does not even begin to ask for a page in time is a busy machine, and no defect', async () => {
  vi.useFakeTimers();
  const dial = (_: unknown, { signal }: { readonly signal: AbortSignal }) =>
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  const page = { method: 'GET', headers: {} } as const;
  const asked = expect(
    requestPage(dial, parseAddress('10.0.0.1'), page, new AbortController().signal),
  ).rejects.toMatchObject({ code: 'SANDBOX_FAILED' });
  await vi.advanceTimersByTimeAsync(60_000);
  await asked;
});
