import { detour } from '../detour.ts';
import { set, setText } from '../set.ts';

/** Where this browser keeps that the line was read, for as long as its window is open. */
const DISMISSED_KEY = 'quayside-detour-dismissed';

/** Says in a line that the links go over HTTP, why, and whom to ask for better; until it is dismissed. */
export function tellDetour(lines: Iterable<HTMLElement>): void {
  const all = [...lines];
  const paint = () => {
    const isRead = sessionStorage.getItem(DISMISSED_KEY) !== null;
    for (const line of all) set(line, 'hidden', !detour.isSure || isRead);
  };
  for (const line of all) {
    setText(
      line.querySelector('span'),
      `This network stops WebSockets. All works here without them, a little slower. Ask whoever runs the network, or the proxy in front of Quayside, to let WebSockets through to ${location.host}.`,
    );
    line.querySelector('button')?.addEventListener('click', () => {
      sessionStorage.setItem(DISMISSED_KEY, '');
      paint();
    });
  }
  detour.subscribe(paint, new AbortController().signal);
}
