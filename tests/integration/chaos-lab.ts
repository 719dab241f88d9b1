import { check, defineLab, type Lab, notYet, passed } from '#lab';

/** The name of the chaos lab, and of its only check. */
export const LAB = 'chaos';
export const CHECK = 'made';
/** The container whose being there is the step. */
export const MADE = 'made';

/** One host with an engine, one without, and one step that is done by making a container. */
export const CHAOS_LAB: Lab = defineLab({
  title: 'Chaos',
  hosts: {
    // Awake: it is killed, and what is told of it is listened to.
    server01: {
      address: '10.1.10.11/24',
      engine: { awake: true },
      images: ['mycontainer:5.6'],
    },
    client: { address: '10.1.10.100/24' },
  },
  images: { 'mycontainer:5.6': 'mycontainer' },
  browser: 'client',
  sections: [
    {
      page: 'index',
      title: 'Chaos',
      checks: [
        check(CHECK, {
          title: 'A container is made',
          test: async (sandbox) =>
            (await sandbox.host('server01').container(MADE)) ? passed() : notYet('Not made yet.'),
        }),
      ],
    },
  ],
});
