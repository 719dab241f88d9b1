import { addAbortSignal, type Readable } from 'node:stream';
import { jsonLines } from './lines.ts';

/** One step of what an engine reports while it pulls, builds or loads an image. */
export interface ReportedStep {
  readonly stream?: string;
  readonly error?: string;
}

/**
 * The steps of a report.
 *
 * @param silenceMs how long the engine may say nothing
 * @throws Error with the engine's own words where the work failed, or where it fell silent; the signal's reason
 */
export async function* stepsOf(
  report: NodeJS.ReadableStream,
  silenceMs: number,
  signal?: AbortSignal,
): AsyncGenerator<ReportedStep> {
  const silence = new AbortController();
  const fallSilent = () => silence.abort(new Error(`no progress for ${silenceMs / 1000} s`));
  let timer = setTimeout(fallSilent, silenceMs);
  const given = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal;
  try {
    for await (const step of jsonLines<ReportedStep>(addAbortSignal(given, report as Readable))) {
      if (step.error) throw new Error(step.error);
      clearTimeout(timer);
      yield step;
      timer = setTimeout(fallSilent, silenceMs);
    }
  } catch (error) {
    given.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
