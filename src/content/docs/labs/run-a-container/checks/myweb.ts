import {
  type ContainerView,
  container,
  type Fix,
  notYet,
  passed,
  type SandboxView,
  type Verdict,
} from '#lab';

export const SERVER = 'server01';
export const SERVER_ADDRESS = '10.1.10.11';
export const CLIENT_ADDRESS = '10.1.10.100';
export const BASE = 'webbase:5.6';
export const NEWER_BASE = 'webbase:7';
/** The container that the lab follows from its first second to its last. */
export const NAME = 'myweb';
/** The port of server01 that leads to it. */
export const PORT = 8080;
/** In the foreground, as the page has it. */
export const RUN = `docker run -p ${PORT}:80 --name ${NAME} ${BASE}`;
/** The same in the background, for mistakes that have nothing to do with that. */
export const RUN_BEHIND = `docker run -d -p ${PORT}:80 --name ${NAME} ${BASE}`;

/** myweb, running as the lab wants it. */
export const myweb = container(NAME)
  .on(SERVER)
  .from(BASE)
  .withTheImagesCommand()
  .runs()
  .publishes(80)
  .on(PORT)
  .madeBy(RUN);

/** Whether myweb runs as the lab wants it, in the foreground. */
export const mywebInFront = async (sandbox: SandboxView): Promise<Verdict> => {
  const verdict = await runsInFront(sandbox);
  // What lies there from an earlier try is in nobody's way.
  return verdict.kind === 'passed' ? verdict : ((await neverBegun(sandbox)) ?? verdict);
};

const runsInFront = myweb.and(async ({ container: { id }, host }) => {
  const { Config } = await host.docker.getContainer(id).inspect();
  return Config.AttachStdout
    ? passed()
    : notYet(
        `${NAME} runs in the background, because of -d. Here you want to watch it: remove it, and run it without -d.`,
        removal(NAME),
      );
});

/** A container that Docker has made and could not start: the shell has said why, in Docker's words. */
async function neverBegun(sandbox: SandboxView): Promise<Verdict | undefined> {
  const all = await sandbox.host(SERVER).containers();
  const made = all.find(({ status }) => status === 'created');
  if (!made) return undefined;
  const [first = ''] = made.command;
  if (first.startsWith('-')) {
    return notYet(
      `${first} stands behind the image, so Docker took it for the program to run in the container. Options come before the image.`,
      removal(made.name),
    );
  }
  const port = hostSideOf(made);
  const holder = all.find(
    (other) => other.running && port !== undefined && hostSideOf(other) === port,
  );
  if (holder) {
    return notYet(
      `${made.name} could not start: port ${port} of ${SERVER} leads to ${holder.name} already. Remove both, and run it again.`,
      removal(`${made.name} ${holder.name}`),
    );
  }
  return port === '80'
    ? notYet(
        made.requestedPorts['80/tcp'] === undefined
          ? `${made.name} could not start: the number before the colon is the host’s, and port 80 of ${SERVER} is taken. You have the two the wrong way round.`
          : `${made.name} could not start: port 80 of ${SERVER} is the old application’s. Publish another one: -p ${PORT}:80.`,
        removal(made.name),
      )
    : undefined;
}

function hostSideOf({ requestedPorts }: ContainerView): string | undefined {
  return Object.values(requestedPorts).flat()[0];
}

/** The fix for a container that is in the way. */
export function removal(name: string): Fix {
  return { host: SERVER, command: `docker rm -f ${name}` };
}
