import type { Terminal } from '@xterm/xterm';
import { has, part } from './insides.ts';

/** A colour of xterm's; each of a theme is one object. */
interface Colour {
  readonly css: string;
}

interface Colours {
  readonly background: Colour;
  readonly foreground: Colour;
  readonly ansi: readonly Colour[];
}

interface Cell {
  isDim(): number | boolean;
  getCode(): number;
}

/** @returns whether it has given the element a colour of its own */
type MakeReadable = (
  element: HTMLElement,
  background: Colour,
  foreground: Colour,
  cell: Cell,
  otherBackground: Colour | undefined,
  otherForeground: Colour | undefined,
) => boolean;

/** What of xterm 6.0.0 is used here. */
interface Insides {
  readonly _themeService: { readonly colors: Colours };
  readonly _renderService: {
    readonly _renderer: {
      readonly value: {
        readonly _terminalClass: number;
        readonly _themeStyleElement: HTMLStyleElement;
        readonly _rowFactory: { _applyMinimumContrast: MakeReadable };
        _injectCss(colours: Colours): void;
      };
    };
  };
}

/** A letter, as most cells have one. */
const LETTER: Cell = { isDim: () => false, getCode: () => 0x61 };
/**
 * Colours that `minimumContrastRatio` makes readable on the theme's background stand in a style sheet, that of xterm's DOM
 * renderer, and go with it. By itself it writes them into the style of each cell, and a browser takes twice as long for a
 * screen full of such cells.
 *
 * @param terminal which has a renderer that did not have this done to it
 */
export function shareReadableColours(terminal: Terminal): void {
  const insides = wholeInsidesOf(terminal);
  if (!insides) return;
  const renderer = insides._renderService._renderer.value;
  const factory = renderer._rowFactory;
  const makeReadable = factory._applyMinimumContrast.bind(factory);
  let background: Colour | undefined;
  /** What these look like on that background stands in xterm's own rules, or in ours. */
  let shared = new Set<Colour>();
  /** … and of these, in ours. */
  let changed = new Set<Colour>();

  const share = (colours: Colours) => {
    background = colours.background;
    shared = new Set(colours.ansi);
    changed = new Set();
    let rules = '';
    const readable = (colour: Colour): string | undefined => {
      const element = document.createElement('span');
      const isChanged = makeReadable(
        element,
        colours.background,
        colour,
        LETTER,
        undefined,
        undefined,
      );
      return isChanged ? element.style.color : undefined;
    };
    for (const [number, colour] of colours.ansi.entries()) {
      const css = readable(colour);
      if (css === undefined) continue;
      changed.add(colour);
      rules += `.xterm-dom-renderer-owner-${renderer._terminalClass} .xterm-fg-${number} { color: ${css}; }`;
    }
    if (readable(colours.foreground) === undefined) shared.add(colours.foreground);
    renderer._themeStyleElement.append(rules);
  };

  // Called for each cell that is drawn: it makes no object and no closure.
  factory._applyMinimumContrast = (
    element,
    behind,
    colour,
    cell,
    otherBackground,
    otherForeground,
  ) => {
    const isPlain = behind === background && !otherBackground && !otherForeground;
    if (isPlain && shared.has(colour) && !isShape(cell.getCode()) && !cell.isDim()) return false;
    if (makeReadable(element, behind, colour, cell, otherBackground, otherForeground)) return true;
    // As it is, though our rules have it otherwise. (A dim one has rules of its own.)
    if (otherForeground || !changed.has(colour) || cell.isDim()) return false;
    element.style.color = colour.css;
    return true;
  };

  const injectCss = renderer._injectCss.bind(renderer);
  renderer._injectCss = (colours) => {
    injectCss(colours);
    share(colours);
  };
  share(insides._themeService.colors);
}

/** Boxes, blocks and Powerline's shapes are drawn in the colour that was asked for: xterm takes them for backgrounds. */
function isShape(code: number): boolean {
  return (code >= 0x2500 && code <= 0x259f) || (code >= 0xe0a4 && code <= 0xe0d6);
}

/** The members above, if they are all there: an xterm that looks different inside stays as it is. */
function wholeInsidesOf(terminal: Terminal): Insides | undefined {
  const core: unknown = Reflect.get(terminal, '_core');
  const renderer = part(part(part(core, '_renderService'), '_renderer'), 'value');
  const colours = part(part(core, '_themeService'), 'colors');
  const isWhole =
    has(renderer, '_injectCss') &&
    has(part(renderer, '_rowFactory'), '_applyMinimumContrast') &&
    part(renderer, '_themeStyleElement') instanceof HTMLStyleElement &&
    typeof part(renderer, '_terminalClass') === 'number' &&
    Array.isArray(part(colours, 'ansi')) &&
    part(colours, 'background') !== undefined &&
    part(colours, 'foreground') !== undefined;
  return isWhole ? (core as Insides) : undefined;
}
