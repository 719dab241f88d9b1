import { Announcer, newlyPassed } from './announcer.ts';
import { ApiError, LabApi } from './api.ts';
import { tellAttendance } from './attendance.ts';
import { withBase } from './base-path.ts';
import { confirmed } from './confirm.ts';
import { GuideDesk } from './guide/guide-desk.ts';
import { arrangeHints } from './guide/hints.ts';
import { paintGuideButtons } from './guide/paint-buttons.ts';
import { RunButtons } from './guide/run-buttons.ts';
import { GuideStrip } from './guide/strip.ts';
import { type LabData, readLabData } from './lab-data.ts';
import { LabState } from './lab-state.ts';
import { paintChecks } from './paint-checks.ts';
import { paintEnd } from './paint-end.ts';
import { paintProgress } from './paint-progress.ts';
import { paintValues } from './paint-values.ts';
import { PassedMark } from './passed-mark.ts';
import { keepLinked, type LinkState } from './session-link.ts';
import { set, setText } from './set.ts';
import { navigateSoftly } from './soft-navigation.ts';
import { tellDetour } from './workspace/detour-line.ts';
import { giveFocusBack } from './workspace/focus-return.ts';
import { linkPanes } from './workspace/link-panes.ts';
import { makeMovable } from './workspace/separator.ts';
import { Views } from './workspace/views.ts';
import { Workspace } from './workspace/workspace.ts';

/** Puts a lab's page to work: one link to the server, one state, and painters that show it. */
function begin(first: LabData): void {
  let lab = first;
  const part = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
  const root = part('lab-workspace');
  const api = new LabApi(lab.name);
  const state = new LabState();
  const announcer = new Announcer(part('lab-announcer'), lab);
  const tabs = [...document.querySelectorAll<HTMLElement>('[data-view]')];
  const views = new Views(
    tabs,
    part('lab-prose'),
    root,
    () => void workspace.refresh(),
    () => workspace.turnTo(lab),
  );
  const workspace = new Workspace(root, lab, api, state, () => {
    if (views.narrow) views.show('terminals');
  });

  const desk = new GuideDesk({
    api,
    state,
    stage: workspace,
    strip: new GuideStrip(part('lab-guide'), part('lab-prose')),
    say: (text) => announcer.say(text),
    lab: () => lab,
  });

  const passed = new PassedMark(part('view-read'), views);
  const runs = new RunButtons(workspace, state, () => lab);

  const paint = () => {
    paintChecks(document, state.view);
    const { snapshot } = state.view;
    if (snapshot) void withAnswers(({ fillAnswers }) => fillAnswers(document, snapshot));
    paintValues(document, state.view);
    paintProgress(document, lab, state.view);
    paintGuideButtons(document, lab, state.view);
    runs.paint(document, state.view);
    paintEnd(document, lab, state.view);
  };
  const arrive = () => {
    arrangeHints(document, lab.steps);
    desk.arrive();
    startByItself(state, workspace, desk);
  };
  state.subscribe((change) => {
    if (!change.visit) paint();
    if (change.stopped) workspace.say(`${change.stopped.reason} ${change.stopped.remedy}`);
    sayWhyLost(change.view.link);
    announcer.hear(change);
    if (!change.visit) passed.tell(newlyPassed(change));
    startByItself(state, workspace, desk);
  });
  makeMovable(part('lab-separator'), part('lab-prose'), () => void workspace.refresh());
  linkPanes(part('lab-prose'), views, workspace);
  tellDetour(document.querySelectorAll<HTMLElement>('.lab-warnings [data-part="detour"]'));
  giveFocusBack();
  // While the server does not know this browser there is nobody to tell it of.
  tellAttendance(document, async () => {
    if (state.view.link.state === 'live') await api.attend();
  });
  listen({ api, state, workspace, announcer, desk, runs });
  navigateSoftly(withBase(`/labs/${lab.name}/`), (page) => {
    lab = readLabData(page) ?? lab;
    arrive();
    workspace.turnTo(lab);
    paint();
    if (views.narrow) views.show('read');
    announcer.say(document.title);
  });
  arrive();
  keepLinked(
    api,
    {
      onEvent: (event) => {
        if (event.type === 'windows') workspace.tellWindows(event.windows);
        else state.apply(event);
      },
      onLink: (link) => state.setLink(link),
    },
    new AbortController().signal,
  );
}

/**
 * Whoever opens a lab wants its hosts: they start while the first lines are read. Only a session that has failed or
 * ended waits to be started again by hand.
 */
function startByItself(state: LabState, workspace: Workspace, desk: GuideDesk): void {
  const { link, snapshot } = state.view;
  if (link.state !== 'live' || snapshot?.status.state !== 'none' || desk.wishes) return;
  void workspace.startOnce();
}

/** A server that says goodbye is soon back; one that is gone without a word may not be. */
function sayWhyLost(link: LinkState): void {
  const isLost = link.state === 'reconnecting';
  for (const line of document.querySelectorAll<HTMLElement>('.lab-warnings [data-part="lost"]')) {
    set(line, 'hidden', !isLost);
    if (!isLost) continue;
    setText(
      line,
      link.goodbye
        ? `${link.goodbye} This page comes back by itself.`
        : 'Connection lost. Reconnecting…',
    );
  }
}

interface Parts {
  readonly api: LabApi;
  readonly state: LabState;
  readonly workspace: Workspace;
  readonly announcer: Announcer;
  readonly desk: GuideDesk;
  readonly runs: RunButtons;
}

/** Everything that can be pressed, wherever it stands: in the prose, which is exchanged, in the bar or in a notice. */
function listen({ api, state, workspace, announcer, desk, runs }: Parts): void {
  document.addEventListener('click', (event) => {
    const pressed = (event.target as Element).closest<HTMLElement>(
      '[data-run-host], [data-visit], [data-show-host], [data-edit-host], [data-show-browser], [data-start], [data-reload], [data-extend], [data-undo-close], [data-ask], [data-do-it], [data-start-from], [data-guide-stop], [data-move]',
    );
    if (!pressed) return;
    const { runHost, visit, showHost, editHost, editPath, ask, startFrom } = pressed.dataset;
    if (runHost !== undefined) void runs.press(pressed);
    else if (visit !== undefined) {
      event.preventDefault();
      void workspace.showBrowser(visit);
    } else if (showHost !== undefined)
      void workspace.showHost(showHost, 'interrupt' in pressed.dataset);
    else if (editHost !== undefined)
      void workspace.showFiles(editHost, editPath, pressed.dataset.editText);
    else if ('showBrowser' in pressed.dataset) void workspace.showBrowser();
    else if ('move' in pressed.dataset)
      void withAnswers(({ moveOption }) => announcer.say(moveOption(pressed)));
    else if ('doIt' in pressed.dataset) void desk.press(pressed);
    else if ('guideStop' in pressed.dataset) void desk.stop();
    else if (startFrom !== undefined) void desk.startFrom(startFrom);
    else if ('start' in pressed.dataset) void workspace.start();
    else if ('extend' in pressed.dataset) void workspace.extend();
    else if ('undoClose' in pressed.dataset) workspace.undoClose();
    else if ('reload' in pressed.dataset) location.reload();
    else if (ask === 'reset' || ask === 'end') void askFor(ask, api, state, workspace);
  });

  document.addEventListener('input', ({ target }) => {
    const form = (target as Element).closest<HTMLElement>('[data-answer]');
    if (form) form.dataset.touched = '';
  });

  document.addEventListener('submit', (event) => {
    const form = event.target as HTMLFormElement;
    const check = form.dataset.answer;
    if (check === undefined) return;
    event.preventDefault();
    void withAnswers(({ submitAnswer }) => submitAnswer(form, check, { api, state, announcer }));
  });
}

/** Does what a page with questions needs; one without fetches nothing. */
async function withAnswers(use: (answers: typeof import('./answers.ts')) => void): Promise<void> {
  if (document.querySelector('[data-answer]')) use(await import('./answers.ts'));
}

async function askFor(
  what: 'reset' | 'end',
  api: LabApi,
  state: LabState,
  workspace: Workspace,
): Promise<void> {
  const dialog = document.getElementById(`lab-${what}`) as HTMLDialogElement;
  if (!(await confirmed(dialog))) return;
  try {
    const snapshot = await (what === 'reset' ? api.reset() : api.end());
    if (what === 'reset') await withAnswers(({ forgetAnswers }) => forgetAnswers(document));
    state.answered(snapshot);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    workspace.say(`${error.message} ${error.remedy}`);
  }
}

const data = readLabData(document);
if (data) begin(data);
