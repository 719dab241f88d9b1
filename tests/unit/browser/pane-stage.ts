import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { SignalBody } from '#lab';
import type { VisitView } from '#protocol';
import { BrowserPane, type BrowserPaneOptions } from '../../../server/browser/browser-pane.ts';
import { type Stage, stage } from '../web/stage.ts';
import { localDial, type Served, serve } from './stage.ts';

/** As a browser asks for what becomes a page of its own, and for a part of one. */
export const DOCUMENT = { headers: { 'sec-fetch-dest': 'iframe' } };
export const PART = { headers: { 'sec-fetch-dest': 'image' } };

/** A signed-in learner's pane behind a real web edge, looking at a real server of the lab. */
export interface PaneStage extends AsyncDisposable {
  readonly web: Stage;
  readonly lab: Served;
  readonly pane: BrowserPane;
  readonly options: BrowserPaneOptions;
  readonly dial: ReturnType<typeof localDial>;
  readonly visits: VisitView[];
  readonly signals: SignalBody[];
  /** Below the pane's key, as its frame would ask. */
  frame(path: string, init?: RequestInit): Promise<Response>;
}

export async function paneStage(
  listener: (request: IncomingMessage, response: ServerResponse) => void,
  serving: (listener: RequestListener) => Promise<Served> = serve,
): Promise<PaneStage> {
  const web = await stage();
  const lab = await serving(listener);
  const dial = localDial({ '10.1.10.11:32768': lab.port });
  const visits: VisitView[] = [];
  const signals: SignalBody[] = [];
  const options: BrowserPaneOptions = {
    from: 'client',
    dial,
    onVisit: (visit, signal) => {
      visits.push(visit);
      signals.push(signal);
    },
  };
  const pane = new BrowserPane(options);
  web.sessions.panes.set(pane.key, pane);
  return {
    web,
    lab,
    pane,
    options,
    dial,
    visits,
    signals,
    frame: (path, init) => web.fetch(`/pane/${pane.key}/${path}`, init),
    [Symbol.asyncDispose]: async () => {
      pane[Symbol.dispose]();
      await lab[Symbol.asyncDispose]();
      await web[Symbol.asyncDispose]();
    },
  };
}
