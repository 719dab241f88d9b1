/** What passes between the server and the page: types and codecs only, used by both sides. The server has the schemas as well, from `#schemas`. */
export * from './class.ts';
export type * from './schemas.ts';
export * from './session.ts';
export * from './stream.ts';
export * from './terminal.ts';
