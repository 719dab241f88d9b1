import type { ContainerView, HostView } from '../view.ts';

/** A shell that is told what to do: `sh -c 'sleep 1; exec /bin/serve'`. */
const SHELL = /(^|\/)(sh|ash|bash|dash)$/;

/**
 * Whether a container was made from an image, named by its tag or by its ID.
 *
 * @example await isFromImage(host('server01'), container, 'mycontainer:5.6')
 */
export async function isFromImage(
  host: HostView,
  container: ContainerView,
  image: string,
): Promise<boolean> {
  if (plain(container.image) === plain(image)) return true;
  return container.imageId === (await host.image(image))?.id;
}

/**
 * Whether a container runs the program that its image starts. Where the image is gone, that counts as another.
 *
 * @example await runsImagesProgram(host('server01'), container)
 */
export async function runsImagesProgram(
  host: Pick<HostView, 'image'>,
  { imageId, command }: ContainerView,
): Promise<boolean> {
  const image = await host.image(imageId);
  return image !== undefined && startsProgram(command, image.command);
}

/** Whether a command starts a program: by itself, or as the last thing that a shell is told to do. */
function startsProgram(command: readonly string[], program: readonly string[]): boolean {
  if (program.length === 0) return false;
  if (program.join('\0') === command.join('\0')) return true;
  const [shell = '', option, script = ''] = command;
  if (command.length !== 3 || option !== '-c' || !SHELL.test(shell)) return false;
  const last = program.join(' ');
  const told = script.trim();
  return told === last || (told.endsWith(last) && /[\s;&|]/.test(told.at(-last.length - 1) ?? ''));
}

/** An image's name without the registry that Docker adds by itself. */
export function plain(image: string): string {
  return image.replace(/^(docker\.io\/)?(library\/)?/, '').replace(/:latest$/, '');
}
