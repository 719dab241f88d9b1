import { route, subnetOf } from '#lab';
import { SERVER, SERVER_ADDRESS } from './myapp2.ts';

/** The machine that looks from outside. */
export const CLIENT = 'client';

/**
 * Whether the client sends all of the containers' network to server01, and not much more. The fix is written as on
 * the page, for Windows.
 */
export const routeToBridge = route(subnetOf('bridge').on(SERVER))
  .on(CLIENT)
  .via(SERVER_ADDRESS)
  .addedBy((subnet, mask, gateway) => `route add ${subnet.split('/')[0]} mask ${mask} ${gateway}`)
  .withMessages({
    missing: ({ name }) => `The client has no route to ${name} yet.`,
    noGateway: ({ found, wanted }) =>
      `The client’s route to ${found} names no gateway. It has to go via ${wanted}.`,
    wrongGateway: ({ name, found, wanted }) =>
      `The client sends ${name} to ${found}. The container is on ${SERVER}: the route has to go via ${wanted}.`,
    tooNarrow: ({ name, found, wanted }) =>
      `The mask is too narrow: the route covers ${found}, but the containers’ network is all of ${name}. Its mask is ${wanted}.`,
    tooWide: ({ name, found, wanted }) =>
      `The mask is too wide: the route ${found} takes more to ${SERVER} than the containers’ network ${name}. Its mask is ${wanted}.`,
    elsewhere: ({ name, found }) =>
      `The client has a route to ${found}, but the containers are in ${name}.`,
  });
