import { container } from '#lab';

export const IMAGE = 'mycontainer:5.6';

/** The container that both pages follow. */
export const hello = container('hello')
  .on('server01')
  .from(IMAGE)
  .runs()
  .publishes(80)
  .onAnEphemeralPort();
