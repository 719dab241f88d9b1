import type { ContainerView, HostView } from '../view.ts';

/** What a container was made from and what it runs, as its engine tells beyond {@link ContainerView}. */
export interface ContainerOrigin {
  /** Made from the image, named by its tag or by its ID. */
  readonly isFrom: (image: string) => Promise<boolean>;
  /** Runs the program that its image starts unless told otherwise. */
  readonly runsImagesProgram: boolean;
}

/** A host is viewed afresh for every round of checks, so that what is asked of one view is asked of its engine once. */
const asked = new WeakMap<HostView, Map<string, Promise<ContainerOrigin>>>();

/** What a container is made of, as the host's engine tells. */
export function containerOriginOf(
  host: HostView,
  container: ContainerView,
): Promise<ContainerOrigin> {
  const known = asked.get(host) ?? new Map<string, Promise<ContainerOrigin>>();
  asked.set(host, known);
  const makings = known.get(container.id) ?? askMakings(host, container);
  known.set(container.id, makings);
  return makings;
}

async function askMakings(host: HostView, container: ContainerView): Promise<ContainerOrigin> {
  const { Path, Args, Image } = await host.docker.getContainer(container.id).inspect();
  const image = await host.docker.getImage(Image).inspect().catch(undefinedIfGone);
  const own = [...list(image?.Config?.Entrypoint), ...list(image?.Config?.Cmd)].join(' ');
  return {
    runsImagesProgram: own !== '' && [Path, ...Args].join(' ').includes(own),
    isFrom: async (wanted) => {
      if (plain(container.image) === plain(wanted)) return true;
      return Image === (await host.docker.getImage(wanted).inspect().catch(undefinedIfGone))?.Id;
    },
  };
}

/** An image's name without the registry that Docker adds by itself. */
function plain(image: string): string {
  return image.replace(/^(docker\.io\/)?(library\/)?/, '').replace(/:latest$/, '');
}

function list(words: string | readonly string[] | null | undefined): readonly string[] {
  if (typeof words === 'string') return [words];
  return words ?? [];
}

function undefinedIfGone(error: { statusCode?: number }): undefined {
  if (error.statusCode === 404) return undefined;
  throw error;
}
