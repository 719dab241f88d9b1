import {
  container,
  type HostView,
  type JournalView,
  type Mistake,
  open,
  type SandboxView,
} from '#lab';

export const SERVER = 'server01';
export const SERVER_ADDRESS = '10.1.10.11';
export const BASE = 'webbase:5.6';
export const NEWER_BASE = 'webbase:7';
/** The image that the lab builds. */
export const IMAGE = 'mycontainer:5.6';
export const NEWER_IMAGE = 'mycontainer:7';
/** The container that shows it. */
export const NAME = 'myapp';
export const PORT = 8080;
export const URL = `http://${SERVER_ADDRESS}:${PORT}`;
/** Where a second container shows its page. */
export const SECOND_PORT = 8081;
export const SECOND_URL = `http://${SERVER_ADDRESS}:${SECOND_PORT}`;
export const FOLDER = '/home/learner/mycontainer';
export const PAGE = `${FOLDER}/index.html`;
export const BUILD = `cd ~/mycontainer && docker build -t ${IMAGE} .`;
export const RUN = `docker run -d --name ${NAME} -p ${PORT}:80 ${IMAGE}`;

export const myapp = container(NAME).on(SERVER).from(IMAGE).runs().publishes(80).on(PORT);

/** The page looked for where nothing serves it. */
export const AT_THE_CLIENT: Mistake = {
  what: 'at the client',
  actions: [open(`http://10.1.10.100:${PORT}`)],
  says: 'That was client, not server01',
  remembered: true,
};

/** The times that a name was given to an image of server01, oldest first. */
export function namings(journal: JournalView, name: string) {
  return journal
    .all('image')
    .filter((signal) => signal.host === SERVER && signal.action === 'tag' && signal.name === name);
}

/** When the page was last saved, as server01 tells the time (s since the epoch); `undefined` where there is none. */
export async function savedAt(server: HostView): Promise<number | undefined> {
  const { status, output } = await server.ask(['stat', '-Lc', '%Y', '--', PAGE]);
  return status === 0 ? Number(output) : undefined;
}

/** When the image was last built, or given its name (s since the epoch). */
export function namedAt({ journal }: SandboxView): number | undefined {
  const last = namings(journal, IMAGE).at(-1);
  return last && Math.floor((last.engineAt ?? last.at) / 1_000);
}

/** The newest command line that fits, with how it ended. */
export function lastCommand({ journal }: SandboxView, pattern: RegExp) {
  return journal.last(
    'command',
    ({ host, line }) => host === SERVER && line.trim().search(pattern) >= 0,
  );
}
