import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { hostNamed, type Lab } from '#lab';
import { didYouMean } from '../../lab/did-you-mean.ts';
import { elementsOf } from './page-elements.ts';
import { COMPONENTS as COMPONENTS_OF_PAGES, pageProblems } from './page-problems.ts';
import { locationOf, locationsOf } from './source-location.ts';
import { stepsOf } from './steps.ts';

/** A page that introduces the lab and is no section of it. */
const INTRODUCTION = 'index';
/** Below the project: where an image's folder lies. */
const IMAGES = 'images';

/** The components that name a check, a value or a host. */
const COMPONENTS = ['Check', 'Answer', 'Value', 'Terminal', 'Interrupt', 'Edit'] as const;
const NAMING_A_HOST: readonly string[] = ['Terminal', 'Interrupt', 'Edit'];

/** Help that is folded, for the instructor as for a learner. */
const HINT = 'Hint';

/** A mention of a check, value or host on a page; of a block without a host, no name. */
interface Mention {
  readonly component: (typeof COMPONENTS)[number] | 'block' | 'listing';
  /** None where a component does not say one. */
  readonly name: string | undefined;
  /** The page, or the part of it, that mentions it. */
  readonly file: string;
  readonly line: number;
}

/**
 * Everything about a lab's pages that keeps them from being built or does not fit its `lab.ts`, each as
 * `file:line: sentence`, with the nearest right name where one was missed. Nothing here needs the site to be built.
 *
 * @param directory the lab's folder
 * @param project the folder that holds `images/`
 */
export function labProblems(directory: string, lab: Lab, project: string): readonly string[] {
  // What begins with an underscore is a part that pages import.
  const files = globSync(join(directory, '*.mdx'))
    .filter((file) => !basename(file).startsWith('_'))
    .sort();
  const broken = pageProblems(directory);
  const aroundPages = [
    ...imageProblems(directory, lab, project),
    ...sectionProblems(directory, lab, new Set(files.map(pageOf))),
  ];
  // What a page that cannot be read would show is not known, and not missing.
  if (broken.length > 0) return [...aroundPages, ...broken];
  const pages = new Map(files.map((file) => [pageOf(file), mentionsIn(file)] as const));
  return [
    ...aroundPages,
    ...[...pages].flatMap(([page, mentions]) =>
      mentions.flatMap((mention) => mentionProblems(lab, page, mention)),
    ),
    ...shownProblems(directory, lab, pages),
    ...files.flatMap(noteProblems),
    ...[...pages].flatMap(([page, mentions]) =>
      idleProblems(lab, page, join(directory, `${page}.mdx`), mentions),
    ),
  ];
}

function pageOf(file: string): string {
  return basename(file, '.mdx');
}

function imageProblems(directory: string, lab: Lab, project: string): readonly string[] {
  const ofHosts = lab.hosts.flatMap(({ name, image }) =>
    image === undefined ? [] : [[`the image of host ${name}`, image] as const],
  );
  const ofEngines = Object.entries(lab.images).map(
    ([tag, path]) => [`the image "${tag}"`, path] as const,
  );
  return [...ofHosts, ...ofEngines].flatMap(([image, path]) => {
    const folder = asWritten(path, directory);
    const isBeside = folder.startsWith('.');
    const place = isBeside ? join(directory, folder) : resolve(project, IMAGES, folder);
    if (existsSync(join(place, 'Dockerfile'))) return [];
    const known = foldersBeside(place).map((name) => (isBeside ? `./${name}` : name));
    const where = isBeside ? folder : `${IMAGES}/${folder}`;
    return [
      `${locationsOf(directory, folder)}: ${image} is built from ${where}, which has no Dockerfile. ${didYouMean(folder, known)}`,
    ];
  });
}

/** A folder beside `lab.ts` as it stands there; a lab that was read has its whole path. */
function asWritten(folder: string, directory: string): string {
  if (!isAbsolute(folder)) return folder;
  const path = relative(directory, folder);
  return path.startsWith('.') ? path : `./${path}`;
}

/** The names of folders in which there could be a Dockerfile. */
function foldersBeside(path: string): readonly string[] {
  const parent = dirname(path);
  if (!existsSync(parent)) return [];
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

function sectionProblems(
  directory: string,
  lab: Lab,
  pages: ReadonlySet<string>,
): readonly string[] {
  const sections = lab.sections.map(({ page }) => page);
  const rest = [...pages].filter((page) => page !== INTRODUCTION && !sections.includes(page));
  return [
    ...sections
      .filter((page) => !pages.has(page))
      .map(
        (page) =>
          `${locationsOf(directory, page)}: there is a section "${page}", but no ${page}.mdx beside lab.ts. ${rest.length > 0 ? didYouMean(page, rest) : 'Write the page, or take the section out.'}`,
      ),
    ...rest.map(
      (page) =>
        `${locationOf(join(directory, `${page}.mdx`), 1)}: the page "${page}" is no section of lab.ts, so nobody is led to it. ${didYouMean(page, sections)}`,
    ),
  ];
}

function mentionProblems(
  lab: Lab,
  page: string,
  { component, name, file, line }: Mention,
): readonly string[] {
  const tell = (problem: string) => [`${locationOf(file, line)}: ${problem}`];
  if (component === 'listing') return [];
  if (name === undefined) {
    const key = NAMING_A_HOST.some((each) => each === component) ? 'host' : 'id';
    return tell(
      `<${component}> has no ${key}. Write <${component} ${key}="…" />, with a text in quotes.`,
    );
  }
  if (component === 'block' || NAMING_A_HOST.some((each) => each === component)) {
    if (hostNamed(lab, name)) return [];
    const known = lab.hosts.flatMap((host) => [host.name, ...host.aliases]);
    const who = component === 'block' ? 'the block' : `<${component}>`;
    return tell(
      `${who} names the host "${name}", which the lab does not have. ${didYouMean(name, known)}`,
    );
  }
  if (component === 'Value') {
    const known = Object.keys(lab.values);
    if (known.includes(name)) return [];
    return tell(
      `<Value> names the value "${name}", which lab.ts does not have. ${didYouMean(name, known)}`,
    );
  }
  const check = lab.checks.find(({ id }) => id === name);
  if (!check) {
    const known = lab.checks.map(({ id }) => id);
    return tell(
      `<${component}> names the check "${name}", which lab.ts does not have. ${didYouMean(name, known)}`,
    );
  }
  const asks = check.question !== undefined;
  if (component === 'Answer' && !asks) {
    return tell(
      `<Answer id="${name}" /> names a check that asks no question. Use <Check id="${name}" />, or make it with answer('${name}', …) in lab.ts.`,
    );
  }
  if (component === 'Check' && asks) {
    return tell(
      `<Check id="${name}" /> names a question, and shows no box to answer it in. Use <Answer id="${name}" />.`,
    );
  }
  const section = lab.sections.find(({ checks }) => checks.includes(check));
  if (section && section.page !== page) {
    return tell(
      `the check "${name}" belongs to the section "${section.page}". Show it there, or move it to the section "${page}" in lab.ts.`,
    );
  }
  return [];
}

/** Steps that have nothing to do, although a block of commands stands in them: it names no host. */
function idleProblems(
  lab: Lab,
  page: string,
  file: string,
  mentions: readonly Mention[],
): readonly string[] {
  const steps = stepsOf(readFileSync(file, 'utf8'), { page, title: page, file }, lab);
  return steps.flatMap(({ actions, checks, line, file }) => {
    const before = mentions.findLast((each) => each.file === file && each.line < line);
    if (actions.length > 0 || before?.component !== 'listing') return [];
    const [host = 'server01'] = lab.hosts.map(({ name }) => name);
    return [
      `${locationOf(file, before.line)}: this block names no host, so the step of "${checks[0]}" has nothing to run. Begin it with \`\`\`sh host=${host}, or give the check a solution in lab.ts.`,
    ];
  });
}

/** Checks that are shown nowhere, and checks that are shown twice. */
function shownProblems(
  directory: string,
  lab: Lab,
  pages: ReadonlyMap<string, readonly Mention[]>,
): readonly string[] {
  const shown = [...pages.values()]
    .flat()
    .filter(({ component }) => component === 'Check' || component === 'Answer')
    .map(({ name, file, line }) => ({ name, at: locationOf(file, line) }));
  return lab.sections.flatMap(({ page, checks }) =>
    checks.flatMap(({ id, question }) => {
      const [first, ...again] = shown.filter(({ name }) => name === id).map(({ at }) => at);
      if (first !== undefined) {
        const where = (at: string) =>
          at === first ? 'by this part, on another page' : `at ${first}`;
        return again.map((at) => `${at}: the check "${id}" is shown already, ${where(at)}.`);
      }
      if (!pages.has(page)) return [];
      const component = question === undefined ? 'Check' : 'Answer';
      return [
        `${locationsOf(directory, id)}: no page shows the check "${id}". Put <${component} id="${id}" /> where its step is in ${page}.mdx, or take it out.`,
      ];
    }),
  );
}

/** What a note for the instructor cannot hold: whatever is a learner's to do or to see, and files that the site serves to all. */
function noteProblems(file: string): readonly string[] {
  return [...elementsOf(readFileSync(file, 'utf8'), file)].flatMap((element) => {
    if (element.within !== 'note') return [];
    const tell = (problem: string) => [`${locationOf(element.file, element.line)}: ${problem}`];
    switch (element.kind) {
      case 'block':
        return tell(
          'this block names a host, and stands in <Instructor>, where no learner runs it. Put it outside, or leave out host=.',
        );
      case 'picture':
        return tell(
          'a picture in <Instructor> is served to everybody who knows its address. Put it outside, or describe it.',
        );
      case 'component':
        if (!COMPONENTS_OF_PAGES.includes(element.name) || element.name === HINT) return [];
        return tell(
          `<${element.name}> stands in <Instructor>, which learners do not have. Put it outside.`,
        );
      default:
        return [];
    }
  });
}

function mentionsIn(file: string): readonly Mention[] {
  return [...elementsOf(readFileSync(file, 'utf8'), file)].flatMap(
    (element): readonly Mention[] => {
      const place = { file: element.file, line: element.line };
      if (element.kind === 'heading' || element.kind === 'picture') return [];
      if (element.kind === 'listing') {
        const isShown = element.within === 'page';
        return isShown ? [{ component: 'listing', name: undefined, ...place }] : [];
      }
      if (element.kind === 'block') return [{ component: 'block', name: element.host, ...place }];
      const component = COMPONENTS.find((each) => each === element.name);
      const namesHost = NAMING_A_HOST.some((each) => each === component);
      const name = element.attributes.get(namesHost ? 'host' : 'id');
      return component === undefined ? [] : [{ component, name, ...place }];
    },
  );
}
