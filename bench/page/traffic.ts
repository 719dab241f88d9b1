import type { BenchPage } from './bench-page.ts';

/** Counts what a page has from its server, as it goes over the line. */
export class Traffic {
  #requests = 0;
  #bytes = 0;

  get requests(): number {
    return this.#requests;
  }

  get kib(): number {
    return this.#bytes / 1024;
  }

  /** From now on, before the page loads anything. */
  async count({ cdp }: BenchPage): Promise<void> {
    const cached = new Set<string>();
    cdp.on('Network.requestServedFromCache', ({ requestId }) => cached.add(requestId));
    cdp.on('Network.responseReceived', ({ requestId, response }) => {
      if (response.fromDiskCache) cached.add(requestId);
    });
    cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      if (cached.has(requestId)) return;
      this.#requests += 1;
      this.#bytes += encodedDataLength;
    });
    cdp.on('Network.webSocketCreated', () => {
      this.#requests += 1;
    });
    cdp.on('Network.webSocketFrameReceived', ({ response: { opcode, payloadData } }) => {
      // Text is as it is, the rest in base64.
      this.#bytes += Buffer.byteLength(payloadData, opcode === 1 ? 'utf8' : 'base64');
    });
    await cdp.send('Network.enable');
  }
}
