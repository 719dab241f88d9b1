import '@xterm/xterm/css/xterm.css';
import { Terminal } from '@xterm/xterm';

/** xterm as its own documentation has it, over one socket, and nothing else. */
const asked = new URLSearchParams(location.search);
const terminal = new Terminal({
  allowProposedApi: true,
  cols: Number(asked.get('cols')),
  cursorBlink: true,
  rows: Number(asked.get('rows')),
  scrollback: Number(asked.get('scrollback')),
});
const screen = document.querySelector<HTMLElement>('#screen');
if (screen) terminal.open(screen);
const socket = new WebSocket(`ws://${location.host}/${location.search}`);
socket.binaryType = 'arraybuffer';
socket.addEventListener('message', ({ data }) => terminal.write(new Uint8Array(data)));
terminal.onData((data) => socket.send(data));
