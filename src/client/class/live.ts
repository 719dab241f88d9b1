import { socketUrl } from '../request.ts';

/** A lost socket is opened again after these waits (ms), the last one over and over. */
const RETRY_MS = [250, 500, 1_000, 2_000, 5_000] as const;
/** Many pages that lost one server must not all come back in the same instant. */
const JITTER = 0.3;

/**
 * Keeps a socket of JSON frames open until `signal` is aborted. The first frame after each opening tells everything, so
 * nothing is lost in between.
 *
 * @param onLink whether it is open just now
 */
export function keepLive<Frame>(
  path: string,
  onFrame: (frame: Frame) => void,
  onLink: (isOpen: boolean) => void,
  signal: AbortSignal,
): void {
  let attempt = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let socket: WebSocket | undefined;
  const open = () => {
    socket = new WebSocket(socketUrl(path));
    socket.addEventListener('open', () => {
      attempt = 0;
      onLink(true);
    });
    socket.addEventListener('message', ({ data }) => onFrame(JSON.parse(String(data)) as Frame));
    socket.addEventListener('close', () => {
      if (signal.aborted) return;
      onLink(false);
      const wait = RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)] ?? 0;
      attempt += 1;
      retry = setTimeout(open, wait * (1 + JITTER * Math.random()));
    });
  };
  signal.addEventListener('abort', () => {
    clearTimeout(retry);
    socket?.close();
  });
  open();
}
