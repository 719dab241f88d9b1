import type { ClassView, LabView, SessionSnapshot } from '#protocol';
import { ApiError, LabApi } from './api.ts';
import { arrangeLabs } from './arrange-labs.ts';
import { withBase } from './base-path.ts';
import { countPassed } from './lab-state.ts';
import { request } from './request.ts';

/** A section as the build knows it. */
interface Section {
  readonly title: string;
  readonly href: string;
  readonly checks: readonly string[];
}

/** Puts the learner's own progress on every lab of the list; without a server it stays a list of links. */
async function paint(item: HTMLElement): Promise<void> {
  const { lab = '', sections: written = '[]' } = item.dataset;
  const sections = JSON.parse(written) as readonly Section[];
  try {
    show(item, sections, await new LabApi(lab).snapshot());
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === 'LAB_UNKNOWN') item.hidden = true;
  }
}

function show(item: HTMLElement, sections: readonly Section[], snapshot: SessionSnapshot): void {
  const ids = sections.flatMap(({ checks }) => checks);
  const passed = countPassed(snapshot.checks, ids);
  if (passed === 0 && snapshot.status.state === 'none') return;
  const meter = item.querySelector('progress');
  if (meter) meter.value = passed;
  const count = item.querySelector('[data-lab-count]');
  if (count) count.textContent = `${passed} of ${ids.length} steps`;
  const link = item.querySelector<HTMLAnchorElement>('[data-lab-continue]');
  const next = sections.find(({ checks }) => countPassed(snapshot.checks, checks) < checks.length);
  if (!link) return;
  link.textContent = next ? `Continue with ${next.title}` : 'Look again';
  link.href = next?.href ?? sections[0]?.href ?? link.href;
}

/** The progress over all labs of each course that this server has; a part without any is left out. */
function paintCourses(): void {
  for (const part of document.querySelectorAll<HTMLElement>('[data-course-part]')) {
    part.hidden = part.querySelector('[data-lab]:not([hidden])') === null;
  }
  for (const course of document.querySelectorAll<HTMLElement>('[data-course]')) {
    const meters = [
      ...course.querySelectorAll<HTMLProgressElement>('[data-lab]:not([hidden]) progress'),
    ];
    course.hidden = meters.length === 0;
    const passed = meters.reduce((sum, { value }) => sum + value, 0);
    const all = meters.reduce((sum, { max }) => sum + max, 0);
    const meter = course.querySelector<HTMLProgressElement>('[data-course-meter]');
    if (meter) {
      meter.max = all;
      meter.value = passed;
    }
    const count = course.querySelector('[data-course-count]');
    if (count) count.textContent = passed === 0 ? `${all} steps` : `${passed} of ${all} steps`;
  }
}

/** Whoever has the server to themselves may write labs as well; a class is there to learn. */
async function offerAuthors(link: HTMLElement): Promise<void> {
  try {
    const { mode } = await request<ClassView>('GET', '/api/class');
    link.hidden = mode === 'class';
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}

/** Where the server has other labs first than the build knows, the button on top leads to its first one. */
async function offerFirst(link: HTMLAnchorElement): Promise<void> {
  try {
    const [first] = await request<readonly LabView[]>('GET', '/api/labs');
    const href = first && withBase(`/labs/${first.name}/`);
    const text = [...link.childNodes].find(
      (node) => node.nodeType === Node.TEXT_NODE && node.nodeValue?.trim(),
    );
    if (!href || !text || new URL(href, location.href).href === link.href) return;
    link.href = href;
    text.nodeValue = `Open the ${first.title} lab`;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}

const firstLab = document.querySelector<HTMLAnchorElement>('a#first-lab');
if (firstLab) void offerFirst(firstLab);
const forAuthors = document.getElementById('for-authors');
if (forAuthors) void offerAuthors(forAuthors);
for (const list of document.querySelectorAll('.lab-list')) void arrangeLabs(list);
const items = document.querySelectorAll<HTMLElement>('[data-lab][data-sections]');
void Promise.all([...items].map(paint)).then(paintCourses);
