import type { Probe } from './probe.ts';

/**
 * Ends once each service of a host has run for a second, but for those that are stopped: what it sets up on the host is done
 * by then. One that does not stay is waited for ten seconds.
 */
const UNTIL_SERVICES_RUN = `
for try in $(seq 100); do
  young=
  for command in /run/services/*.command; do
    name=\${command%.command}
    [ -e "$command" ] && [ ! -e "$name.stopped" ] || continue
    age=$(ps -o etimes= -p "$(cat "$name.pid" 2>/dev/null)" 2>/dev/null)
    [ "\${age:-0}" -ge 1 ] || young=1
  done
  [ -n "$young" ] || break
  sleep 0.1
done`;

/** Settles once what a lab keeps running on its hosts runs: what that changes there is no check's doing. */
export async function servicesRun(probe: Probe): Promise<void> {
  const serving = probe.lab.hosts.filter(({ services }) => services.length > 0);
  await Promise.all(serving.map(({ name }) => probe.read(name, UNTIL_SERVICES_RUN)));
}
