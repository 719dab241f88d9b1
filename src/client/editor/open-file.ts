import type { EditorState } from './code-editor.ts';

/** A file that is open: what it was when it was read or saved last, and what the learner has made of it. */
export interface OpenFile {
  path: string;
  readonly writable: boolean;
  version: string;
  saved: EditorState['doc'];
  state: EditorState;
}

export function isDirty({ state, saved }: OpenFile): boolean {
  return !state.doc.eq(saved);
}

/** Whether a path is another one, or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
