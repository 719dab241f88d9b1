import {
  type BrowserContext,
  test as base,
  expect,
  type Locator,
  type Page,
} from '@playwright/test';
import type { SessionSnapshot } from '#protocol';

/** A command's output is on the screen long before; past this it will not come. */
const READ_MS = 20_000;
/** Hosts are there in seconds; where two browsers and six of them start at once on two cores, in many times that. */
const HOSTS_READY_MS = 90_000;
const LAB = '/labs/docker-networking/';

/** A person with a browser: reads, types, clicks and looks, and uses nothing that they would not have. */
export class Learner {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Opens a page of the lab and waits until its hosts are ready. */
  async goTo(section: string): Promise<void> {
    await this.page.goto(new URL(`${LAB}${section}`, this.page.url()).href);
    await this.ready();
  }

  async ready(): Promise<void> {
    const state = this.page.locator('[data-session-state]').first();
    try {
      await expect(state).toHaveAttribute('data-session-state', 'ready', {
        timeout: HOSTS_READY_MS,
      });
    } catch (error) {
      // Whether the server or the page has not come on cannot be told later.
      const shown = await this.page.locator('#lab-workspace').ariaSnapshot();
      throw new Error(`${await this.#status()}\n${shown}`, { cause: error });
    }
  }

  /** What the server says of the session of this page's lab. */
  async #status(): Promise<string> {
    const [lab] = /(?<=\/labs\/)[^/]+/.exec(this.page.url()) ?? [];
    const url = new URL(`/api/labs/${lab}/session`, this.page.url()).href;
    const answer = await this.page.request.get(url);
    const { status } = (await answer.json()) as Partial<SessionSnapshot>;
    return `HTTP ${answer.status()} ${JSON.stringify(status)}`;
  }

  check(id: string): Locator {
    return this.page.locator(`[data-check-id="${id}"]`);
  }

  async ticked(...ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      await expect(this.check(id), id).toHaveAttribute('data-check-state', 'passed');
    }
  }

  /** The check's title may have words of its reason, so the reason alone is read. */
  async notYet(id: string, reason: RegExp | string): Promise<void> {
    await expect(this.check(id).locator('[data-check-reason]')).toContainText(reason);
    await expect(this.check(id)).toHaveAttribute('data-check-state', 'not-yet');
  }

  tab(name: string): Locator {
    return this.page.getByRole('tab', { name, exact: true });
  }

  /** Types a command into the host's first terminal and presses Enter. */
  async type(host: string, command: string): Promise<void> {
    await this.tab(host).click();
    await expect(this.terminal).toContainText('$');
    await this.page.locator('.panel:visible .xterm-screen').click();
    await this.page.keyboard.type(command);
    await this.page.keyboard.press('Enter');
  }

  /** The terminal in front. */
  get terminal(): Locator {
    return this.page.locator('.panel:visible .xterm-rows');
  }

  /** What the pattern's first group finds on the screen in front, once it stands there; the last of several. */
  async read(pattern: RegExp): Promise<string> {
    const everywhere = new RegExp(pattern.source, 'g');
    let found: string | undefined;
    await expect(async () => {
      const rows = await this.terminal.locator('> div').allInnerTexts();
      found = [...rows.join('\n').matchAll(everywhere)].at(-1)?.[1];
      expect(found, `${pattern} on the screen`).toBeDefined();
    }).toPass({ timeout: READ_MS });
    return found ?? '';
  }

  /** Everything that the terminal in front still has, scrollback included. */
  async copyAll(): Promise<string> {
    const panel = this.page.locator('.panel:visible');
    await panel.getByRole('button', { name: /^Settings and keys/ }).click();
    await this.page.evaluate(() => navigator.clipboard.writeText(''));
    await panel.getByRole('button', { name: 'Copy all' }).click();
    await expect(async () => {
      expect(await this.page.evaluate(() => navigator.clipboard.readText())).not.toBe('');
    }).toPass();
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  /** Turns to the text, where that is out of sight: on a narrow screen it and the hosts take turns. */
  async toText(): Promise<void> {
    const tab = this.page.getByRole('tab', { name: 'Read' });
    if (await tab.isVisible()) await tab.click();
  }

  /** Presses Run at the first block with these words. */
  async run(words: string): Promise<void> {
    await this.toText();
    const block = this.page.locator('[data-host-block]', { hasText: words });
    await block
      .first()
      .getByRole('button', { name: /^Run on/ })
      .click();
  }

  /** Opens a link of the text in the browser pane. */
  async follow(url: string): Promise<void> {
    await this.toText();
    await this.page.locator(`a.visit[data-visit="${url}"]`).first().click();
  }

  /** Picks an option of a question with choices, and asks for the verdict. */
  async choose(id: string, option: string): Promise<void> {
    await this.toText();
    const question = this.check(id);
    await question.getByRole('radio', { name: option }).check();
    await question.getByRole('button', { name: 'Check' }).click();
    await this.ticked(id);
  }

  /** Goes on to the next page, whose title is this. */
  async next(title: string): Promise<void> {
    await this.toText();
    await this.page.getByRole('main').getByRole('link', { name: /^Next/ }).click();
    await expect(this.page.getByRole('heading', { level: 1 })).toHaveText(title);
    await this.ready();
  }

  async answer(id: string, text: string): Promise<void> {
    await this.toText();
    const box = this.check(id).getByRole('textbox');
    await box.fill(text);
    await box.press('Enter');
  }

  /** Opens an address in the browser pane. */
  async visit(address: string): Promise<void> {
    await this.tab('Browser').click();
    const box = this.page.getByRole('textbox', { name: 'Address' });
    await box.fill(address);
    await box.press('Enter');
  }

  /** The page in the browser pane. */
  get pane() {
    return this.page.frameLocator('.panel:visible iframe');
  }
}

/** The URL that `npm start` printed. */
export function printedUrl(): string {
  const url = process.env.QUAYSIDE_E2E_URL;
  if (!url) throw new Error('the server was not started; run the walks with npm test');
  return url;
}

/** A new browser that has opened the printed URL, as a learner of its own: walks go on side by side. */
export async function signIn(context: BrowserContext, url = printedUrl()): Promise<Learner> {
  const page = await context.newPage();
  await page.goto(url.includes('/sign-in?') ? `${url}&learner=new` : url);
  return new Learner(page);
}

export const test = base.extend<{ learner: Learner }>({
  learner: async ({ context }, use) => {
    const errors: string[] = [];
    context.on('weberror', (error) => errors.push(error.error().message));
    const learner = await signIn(context);
    await use(learner);
    expect(errors, 'errors in the page').toEqual([]);
    await endSession(learner.page);
  },
});

/** Gives the hosts back, so that the walks that follow have the machine to themselves. */
export async function endSession(page: Page, lab = 'docker-networking'): Promise<void> {
  const url = new URL(`/api/labs/${lab}/session`, page.url()).href;
  const origin = new URL(url).origin;
  const answer = await page.request.delete(url, { headers: { origin } });
  expect(answer.ok()).toBe(true);
}

export { expect };
