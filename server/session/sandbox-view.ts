import type { HostView, JournalView, SandboxView } from '#lab';
import type { Host } from '../sandbox/host.ts';
import { hostView } from '../sandbox/host-view.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

/** The sandbox as one round of checks sees it: each host is looked at through one view, which asks nothing twice. */
export function sandboxView(
  sandbox: Sandbox,
  journal: JournalView,
  signal: AbortSignal,
): SandboxView {
  const views = new Map<Host, HostView>();
  const viewedOnce = (host: Host): HostView => {
    const view = views.get(host) ?? hostView(host, signal);
    views.set(host, view);
    return view;
  };
  return {
    journal,
    signal,
    host: (name) => viewedOnce(sandbox.host(name)),
    get hosts() {
      return sandbox.hosts.map(viewedOnce);
    },
  };
}
