import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { StreamLanguage, syntaxHighlighting } from '@codemirror/language';
import { dockerFile } from '@codemirror/legacy-modes/mode/dockerfile';
import { shell } from '@codemirror/legacy-modes/mode/shell';
import { MergeView } from '@codemirror/merge';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { classHighlighter } from '@lezer/highlight';

const SHELL_NAME = /(^|\/)(\.?(bashrc|profile|bash_aliases)|[^/]+\.(sh|bash))$/;
const SHELL_START = /^#!.*\b(ba|da)?sh\b/;
const DOCKERFILE = /(^|\/)(Dockerfile|Containerfile)(\.[^/]*)?$|\.dockerfile$/i;

/** What every view of a file has. Its colours stand in editor.css. */
function looks(path: string, text: string, label: string): Extension {
  const mode = DOCKERFILE.test(path)
    ? dockerFile
    : SHELL_NAME.test(path) || SHELL_START.test(text)
      ? shell
      : undefined;
  // A text is split only where it is joined again, so that every file comes out as it went in.
  const separator = /\r\n/.test(text) && !/(^|[^\r])\n/.test(text) ? '\r\n' : '\n';
  return [
    lineNumbers(),
    EditorState.lineSeparator.of(separator),
    EditorView.contentAttributes.of({
      'aria-label': label,
      'aria-description': 'Esc, then Tab leaves the editor.',
      spellcheck: 'false',
    }),
    // A file that is dropped is uploaded, and not typed into the open one.
    EditorView.domEventHandlers({
      drop: ({ dataTransfer }) => (dataTransfer?.files.length ?? 0) > 0,
    }),
    syntaxHighlighting(classHighlighter),
    mode ? StreamLanguage.define(mode) : [],
  ];
}

function writing(onChange: () => void): Extension {
  return [
    history(),
    // Esc, then Tab leaves the editor: CodeMirror lets the Tab after an Esc through.
    keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
    EditorView.updateListener.of(({ docChanged }) => docChanged && onChange()),
  ];
}

const READING: Extension = [EditorState.readOnly.of(true), keymap.of(defaultKeymap)];

/** What is edited: a text with its history and its cursor. */
export function editorState(
  path: string,
  text: string,
  { label, onChange }: { readonly label: string; readonly onChange: (() => void) | undefined },
): EditorState {
  return EditorState.create({
    doc: text,
    extensions: [looks(path, text, label), onChange ? writing(onChange) : READING],
  });
}

/** Two texts of a file side by side; what is changed on the right can be taken from the left. */
export function comparison(
  path: string,
  theirs: string,
  mine: string,
  [theirLabel, myLabel]: readonly [string, string],
): MergeView {
  return new MergeView({
    a: { doc: theirs, extensions: [looks(path, theirs, theirLabel), READING] },
    b: { doc: mine, extensions: [looks(path, mine, myLabel), writing(() => undefined)] },
    revertControls: 'a-to-b',
    collapseUnchanged: {},
  });
}

export { EditorState, EditorView, type MergeView };
