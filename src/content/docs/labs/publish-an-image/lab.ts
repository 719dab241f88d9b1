import { defineLab, withScenarios } from '#lab';
import { aNewerVersion } from './checks/a-newer-version.ts';
import { IMAGE, REGISTRY, REGISTRY_IMAGE } from './checks/names.ts';
import { runElsewhere } from './checks/run-elsewhere.ts';
import { tagAndPush } from './checks/tag-and-push.ts';
import { aNewerVersionScenarios } from './scenarios/a-newer-version.ts';
import { runElsewhereScenarios } from './scenarios/run-elsewhere.ts';
import { tagAndPushScenarios } from './scenarios/tag-and-push.ts';
import { values } from './values.ts';

/** The registry is reached by plain HTTP, which an engine does only where it is told so. */
const engine = { 'insecure-registries': [REGISTRY] };

/** How an image gets from one host to another, and what its name has to do with that. */
export const lab = defineLab({
  title: 'Publish an image',
  hosts: {
    server01: {
      address: '10.1.10.11/24',
      aliases: ['registry'],
      engine,
      images: [IMAGE, REGISTRY_IMAGE],
      setup: [`docker run -d --restart always --name registry -p 5000:5000 ${REGISTRY_IMAGE}`],
    },
    server02: { address: '10.1.10.12/24', engine },
    client: { address: '10.1.10.100/24' },
  },
  images: { [IMAGE]: 'mycontainer', [REGISTRY_IMAGE]: 'registry' },
  browser: 'client',
  values,
  sections: [
    {
      page: 'tag-and-push',
      title: 'Tag and push',
      checks: withScenarios(tagAndPush, tagAndPushScenarios),
    },
    {
      page: 'run-elsewhere',
      title: 'Run it elsewhere',
      checks: withScenarios(runElsewhere, runElsewhereScenarios),
    },
    {
      page: 'a-newer-version',
      title: 'A newer version',
      checks: withScenarios(aNewerVersion, aNewerVersionScenarios),
    },
  ],
});
