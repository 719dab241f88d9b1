/** What passes between the server and the page: types and codecs only, used by both sides. */
export * from './class.ts';
export * from './session.ts';
export * from './terminal.ts';
