import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CheckDefinition, choice, type Lab, notYet, passed } from '#lab';
import { failureLine } from '../../lab-test/failure.ts';
import { type Kind, runLabTest } from '../../lab-test/run-lab-test.ts';
import { openTestServer, type TestServer } from '../../lab-test/test-server.ts';
import { lab as examples } from '../../src/content/docs/labs/components/lab.ts';
import { lab as real } from '../../src/content/docs/labs/docker-networking/lab.ts';
import { lab as router } from '../labs/router/lab.ts';

/*
 * The test of labs, tested: each of these makes one thing of the Docker Networking lab wrong, in a check, in a page or in
 * an image, and the lab's test has to fail with a line that names the step.
 */

const PROJECT = resolve(import.meta.dirname, '../..');
const LABS = join(PROJECT, 'src/content/docs/labs');
/** The labs that things are made wrong in, by what they are about, each with one page of its own. */
const SUBJECTS = {
  networking: { whole: real, pages: join(LABS, 'docker-networking'), page: 'ephemeral-ports' },
  choices: { whole: examples, pages: join(LABS, 'components'), page: 'components' },
  hosts: { whole: examples, pages: join(LABS, 'components'), page: 'images-and-hosts' },
  wires: { whole: router, pages: join(PROJECT, 'tests/labs/router'), page: 'across' },
} as const;
/** What is wrong stays wrong; a busy machine has this long for what is right. */
const PATIENCE_MS = 12_000;
/** As many as two cores carry. */
const AT_ONCE = 4;
const ALL_MS = 600_000;

interface Mutation {
  /** What was made wrong. */
  readonly what: string;
  /** The step that is tested. */
  readonly step: string;
  readonly kind: Kind;
  /** Of which lab it is a step; of Docker Networking unless said otherwise. */
  readonly of?: keyof typeof SUBJECTS;
  /** The lab's hosts, changed. */
  readonly hosts?: (hosts: Lab['hosts']) => Lab['hosts'];
  /** A check, changed. */
  readonly check?: readonly [id: string, change: (check: CheckDefinition) => CheckDefinition];
  /** A page, changed. */
  readonly prose?: readonly [page: string, from: string, to: string];
  /** A file of the image, changed. */
  readonly image?: readonly [file: string, from: string, to: string];
  /** What the failing line must say, besides the page and the step. */
  readonly says: RegExp;
}

const FIRST = 'myapp2-on-ephemeral-port';

const DHCP_RIGHT = choice('who-gives', {
  title: 't',
  question: 'q',
  options: { dhcp: 'a DHCP server', engine: 'the engine' },
  right: 'dhcp',
  because: { engine: 'Not the engine.' },
});

const MUTATIONS: readonly Mutation[] = [
  {
    what: 'a check that always passes',
    step: FIRST,
    kind: 'written',
    check: [FIRST, (check) => ({ ...check, test: passed })],
    says: /not to be passed before its step; seen: passed/,
  },
  {
    what: 'a check that never passes',
    step: FIRST,
    kind: 'written',
    check: [FIRST, (check) => ({ ...check, test: () => notYet('Never.') })],
    says: /to pass; seen: .*Never\./,
  },
  {
    what: 'a check that throws once there is something to see',
    step: FIRST,
    kind: 'written',
    check: [FIRST, failingOncePassed],
    says: /to pass; seen: .*unknown, “.*out of order/,
  },
  {
    what: 'a check that passes with another’s step',
    step: FIRST,
    kind: 'written',
    check: [
      'myapp2-restarted',
      (check) => ({
        ...check,
        test: async (sandbox) =>
          (await sandbox.host('server01').container('myapp2')) ? passed() : notYet('No myapp2.'),
      }),
    ],
    says: /no check but myapp2-on-ephemeral-port to pass; seen: myapp2-restarted passed as well/,
  },
  {
    what: 'a check that takes a wrong way for a right one',
    step: FIRST,
    kind: 'wrong',
    check: [
      FIRST,
      (check) => ({
        ...check,
        test: async (sandbox) =>
          (await sandbox.host('server01').container('myapp2')) ? passed() : check.test(sandbox),
      }),
    ],
    says: /a fixed port\): expected myapp2-on-ephemeral-port not to pass; seen: passed/,
  },
  {
    what: 'a check without the reason for a mistake',
    step: FIRST,
    kind: 'wrong',
    check: [
      FIRST,
      (check) => ({
        ...check,
        test: async (sandbox) => {
          const verdict = await check.test(sandbox);
          const vague = verdict.kind === 'not-yet' && verdict.reason.includes('fixed port');
          return vague ? notYet('That is not it.') : verdict;
        },
      }),
    ],
    says: /to say “fixed port 8080”; seen: .*That is not it\./,
  },
  {
    what: 'a check that knows one right way only',
    step: FIRST,
    kind: 'other',
    check: [
      FIRST,
      (check) => ({
        ...check,
        test: async (sandbox) => {
          const container = await sandbox.host('server01').container('myapp2');
          return container?.publishAll ? notYet('Not with -P.') : check.test(sandbox);
        },
      }),
    ],
    says: /every port that the image declares\): expected .* to pass; seen: .*Not with -P\./,
  },
  {
    what: 'a check that says something else each time',
    step: FIRST,
    kind: 'hygiene',
    check: [
      FIRST,
      (check) => ({ ...check, test: () => notYet(`Not yet, by ${crypto.randomUUID()}.`) }),
    ],
    says: /to say the same 50 times/,
  },
  {
    what: 'a question that no longer says where its answer stands',
    step: 'myapp2-port-read',
    kind: 'written',
    check: ['myapp2-port-read', ({ reads: _, ...check }) => check],
    says: /to say where its answer stands/,
  },
  {
    what: 'a question of which another choice is right',
    step: 'who-gives',
    kind: 'written',
    of: 'choices',
    check: ['who-gives', (check) => ({ ...check, test: DHCP_RIGHT.test })],
    says: /who-gives to pass; seen: .*Not the engine\./,
  },
  {
    what: 'a question that takes a wrong choice for a right one',
    step: 'who-gives',
    kind: 'wrong',
    of: 'choices',
    check: ['who-gives', (check) => ({ ...check, test: DHCP_RIGHT.test })],
    says: /choosing dhcp\): expected who-gives not to pass; seen: passed/,
  },
  {
    what: 'a wire that is unplugged',
    step: 'there',
    kind: 'written',
    of: 'wires',
    hosts: (hosts) => hosts.map((host) => ({ ...host, interfaces: host.interfaces.slice(0, 1) })),
    says: /reached to pass; seen: .*(No route leads|gets no answer|comes as far as)/,
  },
  {
    what: 'a file in the prose that is not the one that is asked for',
    step: 'notes-kept',
    kind: 'written',
    of: 'hosts',
    prose: ['images-and-hosts', 'echo hello > /tmp/notes', 'echo hello > /tmp/note'],
    says: /“chmod 640 \/tmp\/notes” to succeed|no \/tmp\/notes/,
  },
  {
    what: 'a fixed port in the prose',
    step: FIRST,
    kind: 'written',
    prose: ['ephemeral-ports', '-p :80 mycontainer', '-p 8080:80 mycontainer'],
    says: /to pass; seen: .*fixed port 8080/,
  },
  {
    what: 'a command in the prose that is none',
    step: 'myapp2-port-read',
    kind: 'written',
    prose: ['ephemeral-ports', 'docker port myapp2', 'docker prot myapp2'],
    says: /“docker prot myapp2” to succeed; seen: exit status/,
  },
  {
    what: 'a command that is to fail, and works',
    step: 'myapp2-port-read',
    kind: 'written',
    prose: [
      'ephemeral-ports',
      'sh host=server01\ndocker port myapp2',
      'sh host=server01 fails\ndocker port myapp2',
    ],
    says: /“docker port myapp2” to fail; seen: exit status 0/,
  },
  {
    what: 'a stop in the prose where a restart is meant',
    step: 'myapp2-restarted',
    kind: 'written',
    prose: ['ephemeral-ports', 'docker restart myapp2', 'docker stop myapp2'],
    says: /to pass; seen: .*is stopped/,
  },
  {
    what: 'a link in the prose that leads elsewhere',
    step: 'myapp2-page-opened',
    kind: 'written',
    prose: ['ephemeral-ports', '<Value id="myapp2-url" />', '<Visit url="http://10.1.10.11:9" />'],
    says: /to pass; seen: .*Port 9 does not lead to myapp2/,
  },
  {
    what: 'an image whose program ends at once',
    step: FIRST,
    kind: 'written',
    image: ['serve', 'httpd -f -p 80 -h /www &', 'exit 0'],
    says: /to (pass|go on passing); seen: .*is stopped/,
  },
  {
    what: 'an image that listens on another port',
    step: 'myapp2-page-opened',
    kind: 'written',
    image: ['serve', '-p 80 -h', '-p 8080 -h'],
    says: /to pass; seen: .*refused/,
  },
];

/** Passes as before, but as an error: what a slip in code that nobody had run looks like. */
function failingOncePassed(check: CheckDefinition): CheckDefinition {
  return {
    ...check,
    test: async (sandbox) => {
      const verdict = await check.test(sandbox);
      if (verdict.kind === 'passed') throw new Error('out of order');
      return verdict;
    },
  };
}

const lines = new Map<Mutation, readonly string[]>();
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'quayside-mutations-'));
  const named = MUTATIONS.map((mutation, index) => ({ mutation, name: `mutation-${index}` }));
  await using shared = await openTestServer(
    PROJECT,
    new Map(named.map(({ mutation, name }) => [name, labOf(mutation)])),
    () => undefined,
  );
  await pLimit(AT_ONCE).map(named, async ({ mutation, name }) => {
    lines.set(mutation, await linesOf(mutation, name, shared));
  });
}, ALL_MS);

afterAll(() => rm(scratch, { recursive: true }));

describe('a lab’s test fails, and names the step, for', () => {
  it.each(MUTATIONS.map((mutation) => [mutation.what, mutation] as const))('%s', (_, mutation) => {
    const { step, says, of = 'networking' } = mutation;
    const { page } = SUBJECTS[of];
    const line = new RegExp(String.raw`${page}\.mdx:\d+ ${step} \(.*(?:${says.source})`);
    expect((lines.get(mutation) ?? []).join('\n')).toMatch(line);
  });
});

/** Tests the changed lab, and gives the lines that say what failed. */
async function linesOf(
  mutation: Mutation,
  name: string,
  shared: TestServer,
): Promise<readonly string[]> {
  const lab = labOf(mutation);
  // Another image under the same name needs a server of its own.
  await using own = mutation.image
    ? await openTestServer(await projectOf(mutation, name), new Map([[name, lab]]), () => undefined)
    : undefined;
  const { report } = await runLabTest({
    server: own ?? shared,
    name,
    lab,
    directory: await pagesOf(mutation, name),
    ...(mutation.kind === 'hygiene' ? {} : { step: mutation.step }),
    kinds: [mutation.kind],
    limit: pLimit(1),
    patience: PATIENCE_MS,
  });
  return report.failures.map(failureLine);
}

/** The lab's one page, with its check changed, and no more mistakes and other right ways than the mutation is about. */
function labOf({ check, hosts, kind, step, of = 'networking' }: Mutation): Lab {
  const { whole, page } = SUBJECTS[of];
  const sections = whole.sections.filter((section) => section.page === page);
  const changed = sections.map((section) => ({
    ...section,
    checks: section.checks.map((each) => {
      const { mistakes = [], alternatives = [], ...rest } = each;
      const kept =
        each.id === step && kind === 'wrong'
          ? { ...rest, mistakes: mistakes.slice(0, 1) }
          : each.id === step && kind === 'other'
            ? { ...rest, alternatives: alternatives.slice(0, 1) }
            : { ...rest, ...(each.reads ? { reads: each.reads } : {}) };
      return check && check[0] === each.id ? check[1](kept) : kept;
    }),
  }));
  return {
    ...whole,
    hosts: hosts?.(whole.hosts) ?? whole.hosts,
    sections: changed,
    checks: changed.flatMap((section) => section.checks),
  };
}

/** A folder with the lab's pages, one of them changed. */
async function pagesOf({ prose, of = 'networking' }: Mutation, name: string): Promise<string> {
  const { pages } = SUBJECTS[of];
  if (!prose) return pages;
  const directory = join(scratch, name);
  const files = (await readdir(pages)).filter((file) => file.endsWith('.mdx'));
  for (const file of files) await cp(join(pages, file), join(directory, file));
  const [page, from, to] = prose;
  await change(join(directory, `${page}.mdx`), from, to);
  return directory;
}

/** A project's folder with the images in it, one of them changed. */
async function projectOf({ image }: Mutation, name: string): Promise<string> {
  const project = join(scratch, `${name}-project`);
  await cp(join(PROJECT, 'images'), join(project, 'images'), { recursive: true });
  if (image) await change(join(project, 'images/mycontainer', image[0]), image[1], image[2]);
  return project;
}

async function change(path: string, from: string, to: string): Promise<void> {
  const text = await readFile(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${path} does not say ${from} any more`);
  await writeFile(path, text.replace(from, to));
}
