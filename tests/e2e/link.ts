import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** A connection through the link, by its two ends. */
interface Tunnel {
  readonly near: Socket;
  readonly far: Socket;
  /** Whatever goes in is lost, and neither end is told. */
  swallows: boolean;
}

/** The network between a browser and the server, as a proxy of the browser's: it can be cut, and it can fall silent. */
export class Link implements AsyncDisposable {
  readonly #server = createServer();
  readonly #tunnels = new Set<Tunnel>();
  #cut = false;

  static async open(): Promise<Link> {
    const link = new Link();
    link.#server.on('request', (asked, answer) => {
      if (link.#cut) {
        asked.socket.destroy();
        return;
      }
      const { method, headers, url = '' } = asked;
      const onward = request(url, { method, headers }, (got) => {
        answer.writeHead(got.statusCode ?? 502, got.headers);
        got.pipe(answer);
      });
      onward.on('error', () => asked.socket.destroy());
      asked.pipe(onward);
    });
    link.#server.on('connect', (asked, near: Socket, head: Buffer) => {
      if (link.#cut) {
        near.destroy();
        return;
      }
      link.#tunnel(asked.url ?? '', near, head);
    });
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    return link;
  }

  get address(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** Breaks every socket, and lets none through until it heals. */
  cut(): void {
    this.#cut = true;
    for (const { near, far } of this.#tunnels) {
      near.destroy();
      far.destroy();
    }
  }

  /** Every connection there is swallows what it is given, and none is closed. New ones go through. */
  fallSilent(): void {
    for (const tunnel of this.#tunnels) {
      const { near, far } = tunnel;
      tunnel.swallows = true;
      near.unpipe().resume();
      far.unpipe().resume();
    }
  }

  heal(): void {
    this.#cut = false;
  }

  #tunnel(to: string, near: Socket, head: Buffer): void {
    const { hostname, port } = new URL(`http://${to}`);
    const far = connect(Number(port), hostname, () => {
      near.write('HTTP/1.1 200 Connection established\r\n\r\n');
      far.write(head);
      near.pipe(far);
      far.pipe(near);
    });
    const tunnel: Tunnel = { near, far, swallows: false };
    this.#tunnels.add(tunnel);
    for (const socket of [near, far]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        if (tunnel.swallows) return;
        near.destroy();
        far.destroy();
        this.#tunnels.delete(tunnel);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
