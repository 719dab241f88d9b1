import { check, type Lab, notYet, passed } from '#lab';
import { lab as dockerNetworking } from '../../src/content/docs/labs/docker-networking/lab.ts';

/** The lab whose pages the browser opens. */
export const LAB = 'docker-networking';
/** A container, made and not started, ticks one of these; a check ticks but once. */
export const TICKS = 50;

export const tickOf = (index: number): string => `made-${index}`;

/**
 * The Docker Networking lab, all its checks and values, and one check more for each event that is measured. These look
 * into the list of containers, which a round asks for once: the load is the lab's, and not theirs.
 */
export const lab: Lab = {
  ...dockerNetworking,
  checks: [
    ...dockerNetworking.checks,
    ...Array.from({ length: TICKS }, (_, index) =>
      check(tickOf(index), {
        title: `There is a container ${tickOf(index)}`,
        test: async ({ host }) =>
          (await host('server01').containers()).some(({ name }) => name === tickOf(index))
            ? passed()
            : notYet(`No container ${tickOf(index)} yet.`),
      }),
    ),
  ],
};
