/** The engine of a host that asks for no other: Debian trixie's, whose version stays (images/lab-host). */
export const USUAL_ENGINE = '26.1.5';
/** `28`, `28.5`, `28.5.2`: as Docker counts, without what Debian adds. */
const VERSION = /^\d{1,4}(?:\.\d{1,4}){0,2}$/;

/** Whether a text is a version of an engine, or how one begins. */
export function isEngineVersion(text: unknown): text is string {
  return typeof text === 'string' && VERSION.test(text);
}

/** Whether the usual engine is of a version, or of one that begins so. Hosts that ask for none have it. */
export function isUsualEngine(version: string | undefined): boolean {
  return version === undefined || `${USUAL_ENGINE}.`.startsWith(`${version}.`);
}

/** What is looked at of a host. */
interface HostWithEngine {
  readonly hasEngine: boolean;
  readonly engineVersion: string | undefined;
}

/** A lab whose engines are of a version, but for those of which it says one itself. */
export function withEngine<L extends { readonly hosts: readonly HostWithEngine[] }>(
  lab: L,
  version: string,
): L {
  const hosts = lab.hosts.map((host) =>
    host.hasEngine && host.engineVersion === undefined ? { ...host, engineVersion: version } : host,
  );
  return { ...lab, hosts };
}
