/**
 * The labels of everything we create. Outside programs rely on the first three (docs/automation.md); the instance is
 * that of the server, so that a sweep removes its own objects only.
 */
export const LABEL = {
  sandbox: 'quayside.sandbox',
  session: 'quayside.session',
  host: 'quayside.host',
  instance: 'quayside.instance',
  role: 'quayside.role',
} as const;

/** `image` is what an image of a host is made from, for a moment; `wirer` is the helper container of {@link LinkManager}; its label is from when it was called so. */
export type Role = 'host' | 'switch' | 'gateway' | 'wirer' | 'disk' | 'image';

/** Who an object belongs to. */
export interface SandboxLabels {
  readonly instance: string;
  readonly sandbox: string;
  readonly session: string;
}

/** The labels of one object of a sandbox; the only place that makes them. */
export function labelsOf(owner: SandboxLabels, role: Role, host?: string): Record<string, string> {
  return {
    [LABEL.instance]: owner.instance,
    [LABEL.sandbox]: owner.sandbox,
    [LABEL.session]: owner.session,
    [LABEL.role]: role,
    ...(host === undefined ? {} : { [LABEL.host]: host }),
  };
}

/** The name of a sandbox's container or volume: readable, and unique on the engine. */
export function objectName(owner: SandboxLabels, part: string): string {
  return `quayside-${owner.sandbox}-${part}`;
}
