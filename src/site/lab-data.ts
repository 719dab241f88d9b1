import type { LabData } from '../client/lab-data.ts';
import type { LabPage } from './lab-pages.ts';

/** What a lab's page tells its script: names only. */
export function labDataOf({ name, lab, page }: LabPage): LabData {
  return {
    name,
    title: lab.title,
    page,
    hosts: lab.hosts.map((host) => ({ name: host.name, aliases: host.aliases })),
    browser: lab.browser,
    sections: lab.sections.map((section) => ({
      page: section.page,
      title: section.title,
      href: `/labs/${name}/${section.page}/`,
      checks: section.checks.map(({ id }) => id),
    })),
  };
}
