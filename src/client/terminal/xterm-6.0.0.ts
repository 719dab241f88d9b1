import type { Terminal } from '@xterm/xterm';
import { has, part } from './insides.ts';

/** Keeps a whole number of pixels whole where it is divided and multiplied again, and rounded down (px). */
const HAIR = 1e-6;

/**
 * What xterm 6.0.0 does although nobody sees it or needs it, and what of its insides stops that. A newer xterm makes this
 * file superfluous: `tests/e2e/xterm-6.0.0.spec.ts` fails when it does.
 *
 * - Each scrolled line asks for the selection to be drawn again (`SelectionService.refresh`), and the DOM renderer then
 *   draws every row (`handleSelectionChanged`): in front a second time in each frame, and past the pause of a terminal
 *   that is hidden, though nothing is or was selected. A hidden glyph measures 0, which `WidthCache` does not keep, so
 *   each is measured anew with a forced layout.
 * - The text area follows the cursor, the scroll bar the lines, and decorations their rows, hidden or not.
 * - The scroll bar is set anew for each line that scrolls, a fifth of the time that parsing takes.
 * - Parsing waits for a timer, except for the first bytes after a key.
 * - A change of the size is drawn in idle time, hidden or not, and so is the switch to the other buffer.
 * - Each frame draws what was parsed before it, and a flood is drawn as often as the screen has frames.
 * - Whether it is hidden it learns a frame late. A renderer that is made while it is hidden measures 0.
 * - A cell is as wide as the letter for elements, and rounded down to whole pixels for a graphics card.
 */
interface Insides {
  _syncTextArea(): void;
  /** Its next write is parsed before it returns. */
  readonly _writeBuffer: { handleUserInput(): void };
  readonly _charSizeService: {
    measure(): void;
    readonly _measureStrategy: { measure(): CellSize };
  };
  readonly _renderService: {
    readonly _isPaused: boolean;
    _handleIntersectionChange(entry: Pick<IntersectionObserverEntry, 'isIntersecting'>): void;
    addRefreshCallback(callback: FrameRequestCallback): number;
    refreshRows(start: number, end: number, isRedrawOnly?: boolean): void;
    handleResize(cols: number, rows: number): void;
    handleCharSizeChanged(): void;
    setRenderer(renderer: object): void;
    readonly _renderer: { readonly value: { clear(): void } };
  };
  readonly _selectionService: {
    readonly hasSelection: boolean;
    refresh(isLinuxMouseSelection?: boolean): void;
  };
  readonly _viewport: {
    _sync(ydisp?: number): void;
    scrollLines(lines: number): void;
    scrollToLine(line: number, disableSmoothScroll?: boolean): void;
  };
}

interface CellSize {
  readonly width: number;
  readonly height: number;
}

/** A terminal whose drawing is in hand. */
export interface MendedTerminal {
  /** Has parsed it when it returns, where it could be mended; else it parses later. */
  write(bytes: Uint8Array, done?: () => void): void;
  /** While held, it is not drawn: what it looks like then is drawn once it is held no more. */
  hold(isHeld: boolean): void;
  /** Says at once that it is shown or hidden. What is shown has been drawn when the browser paints it. */
  see(isShown: boolean): void;
}

/**
 * Keeps an opened terminal that is hidden from touching the page, and one in front from drawing twice. What it left out
 * it makes up for when the terminal is seen again. It has the same cells, whatever draws them. An xterm that looks
 * different inside stays as it is.
 */
export function mendXterm(terminal: Terminal): MendedTerminal {
  const insides = insidesOf(terminal);
  if (!insides) {
    return {
      write: (bytes, done) => terminal.write(bytes, done),
      hold: () => undefined,
      see: () => undefined,
    };
  }
  roundCells(insides._charSizeService);
  const { _renderService: render, _viewport: viewport } = insides;
  const late = new Set<() => void>();
  let isHeld = false;
  const isStill = () => isHeld || render._isPaused;
  const unlessHidden = (work: () => void) => {
    if (render._isPaused) late.add(work);
    else work();
  };
  const unlessStill = (work: () => void) => {
    if (isStill()) late.add(work);
    else work();
  };
  const catchUp = () => {
    if (isStill()) return;
    const missed = [...late];
    late.clear();
    for (const work of missed) work();
  };

  const handleIntersectionChange = render._handleIntersectionChange.bind(render);
  render._handleIntersectionChange = (entry) => {
    handleIntersectionChange(entry);
    catchUp();
  };

  const refreshRows = render.refreshRows.bind(render);
  const refreshAll = () => refreshRows(0, terminal.rows - 1);
  render.refreshRows = (...rows) => {
    if (isHeld) late.add(refreshAll);
    else refreshRows(...rows);
  };

  stopSelectionDrawing(insides, unlessHidden);
  const syncTextArea = insides._syncTextArea.bind(insides);
  insides._syncTextArea = () => unlessStill(syncTextArea);

  const resize = render.handleResize.bind(render);
  let size: [cols: number, rows: number] = [terminal.cols, terminal.rows];
  const resizeLast = () => resize(...size);
  render.handleResize = (...wanted) => {
    size = wanted;
    unlessHidden(resizeLast);
  };

  const mendClear = ({ value: renderer }: Insides['_renderService']['_renderer']) => {
    const clear = renderer.clear.bind(renderer);
    renderer.clear = () => unlessHidden(clear);
  };
  mendClear(render._renderer);
  const setRenderer = render.setRenderer.bind(render);
  const measureAgain = () => render.handleCharSizeChanged();
  render.setRenderer = (renderer) => {
    setRenderer(renderer);
    mendClear(render._renderer);
    if (render._isPaused) late.add(measureAgain);
  };

  // The viewport and the decorations ask for one call each, and for no other before it came.
  const addRefreshCallback = render.addRefreshCallback.bind(render);
  render.addRefreshCallback = (callback) => {
    if (!isStill()) return addRefreshCallback(callback);
    late.add(() => addRefreshCallback(callback));
    return 0;
  };

  const sync = viewport._sync.bind(viewport);
  const syncNow = () => sync();
  let isParsing = false;
  let hasScrolled = false;
  viewport._sync = (ydisp) => {
    if (isParsing) hasScrolled = true;
    else if (isStill()) late.add(syncNow);
    else sync(ydisp);
  };
  // Both reckon from where the scroll bar stands.
  const scrollLines = viewport.scrollLines.bind(viewport);
  viewport.scrollLines = (lines) => {
    if (late.delete(syncNow)) syncNow();
    scrollLines(lines);
  };
  const scrollToLine = viewport.scrollToLine.bind(viewport);
  viewport.scrollToLine = (...to) => {
    if (late.delete(syncNow)) syncNow();
    scrollToLine(...to);
  };

  return {
    write: (bytes, done) => {
      isParsing = true;
      insides._writeBuffer.handleUserInput();
      terminal.write(bytes, () => {
        isParsing = false;
        if (hasScrolled) unlessStill(syncNow);
        hasScrolled = false;
        done?.();
      });
    },
    hold: (wanted) => {
      isHeld = wanted;
      catchUp();
    },
    see: (isShown) => render._handleIntersectionChange({ isIntersecting: isShown }),
  };
}

/** Gives every renderer the same cells, as wide as the nearest number of whole pixels of the display. */
function roundCells(charSize: Insides['_charSizeService']): void {
  const strategy = charSize._measureStrategy;
  const measure = strategy.measure.bind(strategy);
  strategy.measure = () => {
    const { width, height } = measure();
    return { width: Math.round(width * devicePixelRatio) / devicePixelRatio + HAIR, height };
  };
  charSize.measure();
}

function stopSelectionDrawing(
  { _selectionService: selection }: Insides,
  unlessHidden: (work: () => void) => void,
): void {
  const refresh = selection.refresh.bind(selection);
  const refreshLate = () => refresh();
  let wasSelected = false;
  selection.refresh = (isLinuxMouseSelection) => {
    const isSelected = selection.hasSelection;
    if (!isSelected && !wasSelected) return;
    wasSelected = isSelected;
    if (isLinuxMouseSelection) refresh(true);
    else unlessHidden(refreshLate);
  };
}

/** The members above, if they are all there. */
function insidesOf(terminal: Terminal): Insides | undefined {
  const core: unknown = Reflect.get(terminal, '_core');
  const isWhole =
    has(core, '_syncTextArea') &&
    has(part(core, '_writeBuffer'), 'handleUserInput') &&
    has(part(core, '_charSizeService'), 'measure') &&
    has(part(part(core, '_charSizeService'), '_measureStrategy'), 'measure') &&
    has(part(core, '_renderService'), '_handleIntersectionChange') &&
    has(part(core, '_renderService'), 'addRefreshCallback') &&
    has(part(core, '_renderService'), 'refreshRows') &&
    has(part(core, '_renderService'), 'handleResize') &&
    has(part(core, '_renderService'), 'handleCharSizeChanged') &&
    has(part(core, '_renderService'), 'setRenderer') &&
    has(part(part(part(core, '_renderService'), '_renderer'), 'value'), 'clear') &&
    typeof part(part(core, '_renderService'), '_isPaused') === 'boolean' &&
    has(part(core, '_selectionService'), 'refresh') &&
    typeof part(part(core, '_selectionService'), 'hasSelection') === 'boolean' &&
    has(part(core, '_viewport'), '_sync') &&
    has(part(core, '_viewport'), 'scrollLines') &&
    has(part(core, '_viewport'), 'scrollToLine');
  return isWhole ? (core as Insides) : undefined;
}
