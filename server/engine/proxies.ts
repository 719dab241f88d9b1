import { aptProxies } from './debian.mjs';

/** In lower case apt, curl and wget read them; most other programs read either. */
const NAMES = ['http_proxy', 'https_proxy', 'no_proxy'] as const;

/** The proxies that an environment names, each by both its names, so that every program finds it. */
export function proxiesOf(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  const proxies: Record<string, string> = {};
  for (const lower of NAMES) {
    const upper = lower.toUpperCase();
    const [forLower, forUpper] = [env[lower] || env[upper], env[upper] || env[lower]];
    if (forLower) proxies[lower] = forLower;
    if (forUpper) proxies[upper] = forUpper;
  }
  return proxies;
}

/** The same, with those that apt has here for its packages where the environment names none. */
export function proxiesHere(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return { ...proxiesOf(aptProxies()), ...proxiesOf(env) };
}

/** What a program printed, without the name and password that a proxy's address may have. */
export function withoutPasswords(text: string, proxies: Readonly<Record<string, string>>): string {
  let clean = text;
  for (const address of Object.values(proxies)) {
    const credentials = /^(?:\w+:\/\/)?(.+)@/.exec(address)?.[1];
    if (credentials !== undefined) clean = clean.replaceAll(`${credentials}@`, '***@');
  }
  return clean;
}
