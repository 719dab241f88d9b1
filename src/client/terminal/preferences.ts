/** How a learner likes their terminals; kept in this browser, shared by all terminals of the page. */
export interface TerminalPreferences {
  /** In CSS pixels. */
  readonly fontSize: number;
  /** Lets a screen reader follow the output, at the cost of speed. */
  readonly screenReader: boolean;
  /** On a Mac: Option is the shell's Meta (Option-B: a word back), and prints no characters of its own. */
  readonly optionIsMeta: boolean;
  /** Whether a graphics card draws them: where there is one, also where it is only the processor that acts as one, never. */
  readonly graphics: (typeof WHEN)[number];
  /** Whether keys are shown before the host has echoed them. */
  readonly localEcho: (typeof WHEN)[number];
}

/** When something is done. */
export const WHEN = ['automatic', 'on', 'off'] as const;

const KEY = 'quayside:terminal';
const DEFAULTS: TerminalPreferences = {
  fontSize: 14,
  screenReader: false,
  optionIsMeta: false,
  graphics: 'automatic',
  localEcho: 'automatic',
};
const SMALLEST_FONT = 9;
const LARGEST_FONT = 32;

const changes = new EventTarget();
let preferences = read();

export function terminalPreferences(): TerminalPreferences {
  return preferences;
}

export function setTerminalPreferences(change: Partial<TerminalPreferences>): void {
  const next = { ...preferences, ...change };
  const fontSize = Math.min(LARGEST_FONT, Math.max(SMALLEST_FONT, next.fontSize));
  preferences = { ...next, fontSize };
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // A browser that keeps nothing still has this page's terminals change.
  }
  changes.dispatchEvent(new Event('change'));
}

export function onTerminalPreferences(listener: () => void, signal: AbortSignal): void {
  changes.addEventListener('change', listener, { signal });
}

function read(): TerminalPreferences {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<TerminalPreferences>;
    return {
      fontSize: typeof stored.fontSize === 'number' ? stored.fontSize : DEFAULTS.fontSize,
      screenReader: stored.screenReader === true,
      optionIsMeta: stored.optionIsMeta === true,
      graphics: WHEN.find((choice) => choice === stored.graphics) ?? DEFAULTS.graphics,
      localEcho: WHEN.find((choice) => choice === stored.localEcho) ?? DEFAULTS.localEcho,
    };
  } catch {
    return DEFAULTS;
  }
}
