import type { CDPSession } from '@playwright/test';

/** What is read of a heap snapshot (V8's `heap-snapshot-generator.cc`). */
interface Snapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly node_types: readonly (readonly string[] | string)[];
    };
  };
  readonly nodes: readonly number[];
}

/**
 * What a page holds once its garbage is collected (KiB), without the code that V8 has made of its scripts: that grows for
 * as long as something runs often enough to be compiled anew, and says nothing of what is kept.
 */
export async function heapWithoutCode(cdp: CDPSession): Promise<number> {
  const pieces: string[] = [];
  const take = ({ chunk }: { readonly chunk: string }) => pieces.push(chunk);
  cdp.on('HeapProfiler.addHeapSnapshotChunk', take);
  // It collects the garbage first.
  await cdp.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  cdp.off('HeapProfiler.addHeapSnapshotChunk', take);
  const { snapshot, nodes } = JSON.parse(pieces.join('')) as Snapshot;
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const at = { type: fields.indexOf('type'), size: fields.indexOf('self_size') };
  const code = types[at.type]?.indexOf('code');
  let bytes = 0;
  for (let node = 0; node < nodes.length; node += fields.length) {
    if (nodes[node + at.type] !== code) bytes += nodes[node + at.size] ?? 0;
  }
  return bytes / 1024;
}
