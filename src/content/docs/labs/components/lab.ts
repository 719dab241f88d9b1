import { defineLab } from '#lab';
import { components } from './components.ts';
import { helpers } from './helpers.ts';
import { IMAGE } from './image.ts';
import { imagesAndHosts } from './images-and-hosts.ts';
import { later } from './later.ts';
import { values } from './values.ts';

/** Every component and every helper at work: the live examples of the guide for authors. */
export const lab = defineLab({
  title: 'Every part, live',
  hosts: {
    // The helpers go to a container's own address, to which engines from 28 on let nobody.
    server01: {
      address: '10.1.10.11/24',
      aliases: ['agent01'],
      engine: { version: '26' },
      images: [IMAGE],
    },
    client: { address: '10.1.10.100/24' },
  },
  images: { [IMAGE]: 'mycontainer' },
  browser: 'client',
  values,
  sections: [
    { page: 'components', title: 'Components', checks: components },
    {
      page: 'later',
      title: 'A page that opens later',
      after: 'who-gives',
      optional: true,
      checks: later,
    },
    { page: 'helpers', title: 'Helpers', checks: helpers },
    { page: 'images-and-hosts', title: 'Images and hosts', checks: imagesAndHosts },
  ],
});
