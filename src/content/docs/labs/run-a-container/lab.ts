import { defineLab } from '#lab';
import { anApplication } from './checks/an-application.ts';
import { inTheForeground } from './checks/in-the-foreground.ts';
import { itsLife } from './checks/its-life.ts';
import { BASE, NEWER_BASE } from './checks/myweb.ts';

/** From an application on a host to a container, and through that container's whole life. */
export const lab = defineLab({
  title: 'Run a container',
  hosts: {
    server01: {
      address: '10.1.10.11/24',
      engine: true,
      images: [BASE, NEWER_BASE],
      files: [{ from: 'legacy', to: '/srv/legacy' }],
      // Under this name it is listed as what has port 80.
      setup: ['ln -s /usr/bin/busybox /usr/local/bin/httpd'],
      services: { legacy: 'exec httpd -f -p 0.0.0.0:80 -h /srv/legacy' },
    },
    client: { address: '10.1.10.100/24' },
  },
  images: { [BASE]: 'webbase', [NEWER_BASE]: 'webbase' },
  browser: 'client',
  sections: [
    { page: 'an-application', title: 'An application and an image', checks: anApplication },
    { page: 'in-the-foreground', title: 'A container in the foreground', checks: inTheForeground },
    { page: 'its-life', title: 'Its life, to the end', checks: itsLife },
  ],
});
