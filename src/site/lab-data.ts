import { loadSteps } from '#steps';
import { countedIn } from '../../lab/counted.ts';
import { withBase } from '../client/base-path.ts';
import type { LabData } from '../client/lab-data.ts';
import { directoryOf } from './lab-folders.ts';
import type { LabPage } from './lab-pages.ts';

/** What a lab's page tells its script: names only. */
export async function labDataOf({ name, lab, page }: LabPage): Promise<LabData> {
  const steps = await loadSteps(directoryOf(name), lab);
  return {
    name,
    title: lab.title,
    page,
    hosts: lab.hosts.map((host) => ({ name: host.name, aliases: host.aliases })),
    browser: lab.browser,
    sections: lab.sections.map((section) => ({
      page: section.page,
      title: section.title,
      href: withBase(`/labs/${name}/${section.page}/`),
      checks: countedIn(section),
      extras: section.checks.flatMap(({ id, optional }) => (optional ? id : [])),
      ...(section.after !== undefined && { after: section.after }),
    })),
    steps: steps.map(({ id, page, heading, checks, actions }) => ({
      id,
      page,
      heading,
      checks,
      hasActions: actions.length > 0,
    })),
  };
}
