import type { Terminal } from '@xterm/xterm';
import { copyText, NOT_COPIED } from '../copy-text.ts';
import type { CommandOutput } from './command-marks.ts';

/**
 * Shows a command's output as plain text, line by line as it was printed, for whoever reads with a screen reader, wants
 * larger letters or selects with the keyboard.
 *
 * @returns once it is closed
 */
export function showOutput(
  pane: HTMLElement,
  terminal: Terminal,
  output: CommandOutput | undefined,
): Promise<void> {
  const text = output ? textOf(terminal, output) : '';
  const dialog = document.createElement('dialog');
  dialog.className = 'qs-terminal-output';
  const title = document.createElement('h2');
  title.textContent = titleOf(output, text);
  dialog.ariaLabel = title.textContent;
  const place = document.createElement('pre');
  place.textContent = text;
  place.tabIndex = 0;
  place.role = 'region';
  place.ariaLabel = 'Output';
  const copied = document.createElement('span');
  copied.role = 'status';
  const buttons = document.createElement('p');
  buttons.append(
    button('Copy', async () => {
      copied.textContent = (await copyText(text)) ? 'Copied.' : NOT_COPIED;
    }),
    button('Close', () => dialog.close()),
    copied,
  );
  dialog.append(title, place, buttons);
  pane.append(dialog);
  dialog.showModal();
  place.focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve();
    });
  });
}

function titleOf(output: CommandOutput | undefined, text: string): string {
  if (!output) return 'No command has run here yet, or its shell does not say where its output is';
  const command = output.command === '' ? 'the last command' : output.command;
  if (text === '') return `No output of ${command}`;
  return output.ends ? `Output of ${command}` : `Output of ${command}, which still runs`;
}

/** Lines that were too long for the screen are whole again. */
function textOf({ buffer }: Terminal, { begins, ends }: CommandOutput): string {
  const { normal } = buffer;
  if (ends?.marker.isDisposed) return '';
  const first = Math.max(0, begins.line);
  const last = ends ? ends.marker.line : normal.baseY + normal.cursorY;
  let text = '';
  for (let row = first; row <= last; row++) {
    const line = normal.getLine(row);
    if (!line) break;
    const isEnd = ends !== undefined && row === last;
    const next = normal.getLine(row + 1);
    text += line.translateToString(!next?.isWrapped, 0, isEnd ? ends.columns : undefined);
    if (!next?.isWrapped && row < last) text += '\n';
  }
  return text.trimEnd();
}

function button(text: string, press: () => void): HTMLButtonElement {
  const element = document.createElement('button');
  element.type = 'button';
  element.textContent = text;
  element.addEventListener('click', press);
  return element;
}
