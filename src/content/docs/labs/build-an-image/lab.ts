import { defineLab } from '#lab';
import { BASE, NEWER_BASE } from './checks/images.ts';
import { runAndRebuild } from './checks/run-and-rebuild.ts';
import { theBuild } from './checks/the-build.ts';
import { theFolder } from './checks/the-folder.ts';

/** From a page and two lines of Dockerfile to an image, and to what becomes of its containers when it is built anew. */
export const lab = defineLab({
  title: 'Build an image',
  hosts: {
    server01: {
      address: '10.1.10.11/24',
      engine: true,
      images: [BASE, NEWER_BASE],
      files: [{ from: 'starter', to: '/home/learner/mycontainer' }],
    },
    client: { address: '10.1.10.100/24' },
  },
  images: { [BASE]: 'webbase', [NEWER_BASE]: 'webbase' },
  browser: 'client',
  sections: [
    { page: 'the-folder', title: 'A page and a Dockerfile', checks: theFolder },
    { page: 'the-build', title: 'Build, name, layers', checks: theBuild },
    { page: 'run-and-rebuild', title: 'Run it, and build it anew', checks: runAndRebuild },
  ],
});
