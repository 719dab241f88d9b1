import type { VisitOutcome } from '#protocol';

export type { VisitOutcome };

/** Where a container listens on its host: container port ("80/tcp") to the host ports Docker bound it to. */
export type PublishedPorts = Readonly<Record<string, readonly number[]>>;

/** What happened, before the journal gives it its place and time. */
export type SignalBody =
  | {
      /**
       * A container event from a host's own engine. `exec_start` carries its command in `command`; `exec_die` and `die`
       * carry how it ended in `status`.
       */
      readonly kind: 'container';
      readonly host: string;
      readonly action: string;
      readonly id: string;
      readonly name: string;
      /** When it happened, as the host's engine tells the time (ms since the epoch, with fractions). */
      readonly engineAt?: number;
      readonly image: string;
      readonly command?: string;
      /** Tells what was run by `docker exec` apart: its `exec_start` and its `exec_die` have the same. */
      readonly exec?: string;
      readonly status?: number;
      /** Known for `start`: read from the engine right after the event. */
      readonly ports?: PublishedPorts;
      /** Known for `start`: the network mode (`bridge`, `none`, `host`, or a network's name). */
      readonly networkMode?: string;
    }
  | {
      /** A network event from a host's own engine. */
      readonly kind: 'network';
      readonly host: string;
      readonly action: string;
      readonly id: string;
      readonly name: string;
      /** As that of a container. */
      readonly engineAt?: number;
    }
  | {
      /** An image event from a host's own engine. `tag` carries the name that was given; `pull` and `push` have it as their id. */
      readonly kind: 'image';
      readonly host: string;
      readonly action: string;
      readonly id: string;
      readonly name: string;
      /** As that of a container. */
      readonly engineAt?: number;
    }
  | { readonly kind: 'route'; readonly host: string; readonly change: string }
  | {
      /** A command line finished in a terminal (shell marks). */
      readonly kind: 'command';
      readonly host: string;
      readonly terminal: string;
      readonly line: string;
      readonly status: number;
    }
  | {
      /** A file was saved in the editor, uploaded, renamed or deleted there. `path` is absolute. */
      readonly kind: 'file';
      readonly host: string;
      readonly path: string;
    }
  | {
      /** A page was asked for in the browser pane, or by `curl` on the host that it looks from. */
      readonly kind: 'visit';
      readonly from: string;
      readonly url: string;
      /** The host part of the URL as typed, and the port. */
      readonly hostname: string;
      readonly port: number;
      readonly outcome: VisitOutcome;
      /** HTTP status; known when the pane has got a `page`. */
      readonly status?: number;
      /** The first 2,048 characters of what the pane's page says; not known of `curl`, nor of what is no text. */
      readonly text?: string;
    }
  | { readonly kind: 'answer'; readonly check: string; readonly text: string }
  | {
      /** A host, or its engine, came or went. `routes-watched`: its routes were not watched for a moment, and are again. */
      readonly kind: 'host';
      readonly host: string;
      readonly change:
        | 'started'
        | 'stopped'
        | 'paused'
        | 'resumed'
        | 'engine-up'
        | 'engine-down'
        | 'routes-watched';
    }
  | {
      readonly kind: 'pass';
      readonly check: string;
      /** What the pass speaks of: how the hosts are, which may change again, or what has happened, which cannot. */
      readonly about: 'state' | 'past';
    };

/** A signal in the journal: its running number within the session and its time (ms since the epoch). */
export type Signal = SignalBody & { readonly seq: number; readonly at: number };

export type SignalKind = Signal['kind'];
export type SignalOf<K extends SignalKind> = Extract<Signal, { kind: K }>;
